import { createRequire } from 'node:module'
import type { Logger, pino as Pino } from 'pino'
import { escapeUnseen } from './format.ts'

// loaded where the first log is made: most commands log nothing
const require = createRequire(import.meta.url)

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** Keys that each line has by itself: a line has each key once. */
type LineKey = 'level' | 'time' | 'msg' | 'part'
export type LogFields = Readonly<Record<string, unknown>> & { readonly [Key in LineKey]?: never }

/** What every part logs with: a sentence, and fields beside it. Text from the network goes into fields, never sentences. */
export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  trace(message: string, fields?: LogFields): void
  /** A log whose lines carry the part's name, after that of the part which it belongs to: "network:libp2p". */
  child(part: string): Log
}

/** JSON lines, on standard error unless `write` takes them. */
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

/** `parts`: from the outermost to the one that speaks. */
function wrap(root: Logger, parts: readonly string[] = []): Log {
  const logger = parts.length === 0 ? root : root.child({ part: parts.join(':') })
  const at = (level: Exclude<LogLevel, 'silent'>) => (message: string, fields?: LogFields) => {
    logger[level](fields ?? {}, message)
  }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (part) => (part === parts.at(-1) ? wrap(root, parts) : wrap(root, [...parts, part])),
  }
}
