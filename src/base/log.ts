import { createRequire } from 'node:module'
import type { Logger, pino as Pino } from 'pino'
import { escapeUnseen } from './format.ts'

// loaded where the first log is made: most commands log nothing
const require = createRequire(import.meta.url)

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** What every part logs with: a sentence, and fields beside it. Text from the network goes into fields, never sentences. */
export interface Log {
  error(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  info(message: string, fields?: object): void
  debug(message: string, fields?: object): void
  trace(message: string, fields?: object): void
  /** A log whose lines carry the part's name. */
  child(part: string): Log
}

/** JSON lines on standard error; `pretty` makes them readable for a person at a terminal. */
export function createLog(options: { level: LogLevel; write?: (line: string) => void }): Log {
  const sink = options.write ?? ((line: string) => void process.stderr.write(line))
  // a field's value may come from anywhere, and a log is read at a terminal
  const write = (line: string) => sink(escapeUnseen(line))
  const { pino } = require('pino') as { pino: typeof Pino }
  return wrap(pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write }))
}

export function silentLog(): Log {
  return createLog({ level: 'silent', write: () => {} })
}

function wrap(logger: Logger): Log {
  const at = (level: Exclude<LogLevel, 'silent'>) => (message: string, fields?: object) => {
    logger[level](fields ?? {}, message)
  }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (part) => wrap(logger.child({ part })),
  }
}
