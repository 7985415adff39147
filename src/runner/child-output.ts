import type { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { sanitizeText } from '../base/format.ts'
import type { Log, LogFields, LogLevel } from '../base/log.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import { MAX_LOG_LINES_PER_SECOND, MAX_RUNNER_LOG_LINE } from './constants.ts'

/** What a runner logs and prints, as lines of the node's log: bounded in length and number, safe for a terminal. */
export interface RunnerOutput {
  log(level: string, message: string, fields: unknown): void
  /** Reads a standard stream of the process to its end. */
  follow(stream: Readable, name: 'out' | 'err'): void
  /** The last thing it wrote to standard error: where V8 says why it gave up. */
  readonly stderrTail: string
}

export function createRunnerOutput(components: { clock: Clock; log: Log }): RunnerOutput {
  const { clock, log } = components
  const rate = { burst: MAX_LOG_LINES_PER_SECOND, perSecond: MAX_LOG_LINES_PER_SECOND }
  const bucket = createTokenBucket(rate, () => clock.monotonic())
  let stderrTail = ''
  let dropped = 0
  const write = (level: Exclude<LogLevel, 'silent'>, message: string, fields: LogFields) => {
    if (!bucket.take()) {
      dropped++
      return
    }
    if (dropped > 0) log.warn('the runner logs more than the log takes', { dropped })
    dropped = 0
    log[level](message, fields)
  }
  return {
    log(level, message, fields) {
      const known = level === 'error' || level === 'warn' || level === 'debug' || level === 'trace' ? level : 'info'
      write(known, `runner: ${sanitizeText(message, MAX_RUNNER_LOG_LINE)}`, fields === undefined ? {} : { fields })
    },
    follow(stream, name) {
      let rest = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        if (name === 'err') stderrTail = (stderrTail + chunk).slice(-4096)
        const lines = (rest + chunk).split('\n')
        rest = (lines.pop() ?? '').slice(0, MAX_RUNNER_LOG_LINE)
        for (const line of lines)
          write('info', 'the runner prints', { stream: name, line: sanitizeText(line, MAX_RUNNER_LOG_LINE) })
      })
    },
    get stderrTail() {
      return stderrTail
    },
  }
}
