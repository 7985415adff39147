import { MAX_RUNNER_LOG_LINE } from '../constants.ts'
import type { RunnerContext, RunnerLog, ServiceFacts } from '../contract.ts'
import type { SharedFacts } from '../ipc-messages.ts'
import { send } from './pipe.ts'

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const

/** The same for all requests: each line goes to the node's log. */
export function createRunnerLog(): RunnerLog {
  const at = (level: string) => (message: string, fields?: object) => {
    send({
      log: {
        level,
        message: String(message).slice(0, MAX_RUNNER_LOG_LINE),
        ...(fields && { fields: bounded(fields) }),
      },
    })
  }
  return Object.fromEntries(LEVELS.map((level) => [level, at(level)])) as RunnerLog
}

function bounded(fields: object): unknown {
  try {
    const text = JSON.stringify(fields)
    return text.length <= MAX_RUNNER_LOG_LINE ? fields : { text: text.slice(0, MAX_RUNNER_LOG_LINE) }
  } catch {
    return { text: 'fields that are no JSON' }
  }
}

/** The snapshot with its log and signal put back. The signal is made when it is asked for: most decisions need none. */
export function createContext(
  config: unknown,
  shared: SharedFacts,
  facts: ServiceFacts,
  log: RunnerLog,
): { context: RunnerContext; abort(reason: Error): void } {
  let controller: AbortController | undefined
  let reason: Error | undefined
  const context = {
    config,
    ...shared,
    ...facts,
    log,
    get signal() {
      if (controller === undefined) {
        controller = new AbortController()
        if (reason !== undefined) controller.abort(reason)
      }
      return controller.signal
    },
  } as RunnerContext
  return {
    context,
    abort(why) {
      reason = why
      controller?.abort(why)
    },
  }
}

/** What many requests share must not be changed by one. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) frozen(item)
    Object.freeze(value)
  }
  return value
}
