import { messageOf } from '../../base/errors.ts'
import type { RunRecord } from '../../base/run-record.ts'
import type { RunChange } from '../journal.ts'
import { formatLine } from '../logs/format.ts'
import { limitsOf } from '../logs/limits.ts'
import { createLogWriter, type LogLimits } from '../logs/writer.ts'
import { runSpecOf } from './run-spec.ts'
import type { SupervisorComponents } from './types.ts'

/** Records what happens to a run: first in the journal, then in the run's own log and the events. */
export interface RunRecorder extends AsyncDisposable {
  /** A state is entered here before it is acted upon. */
  transition(change: RunChange): void
  readonly restarts: number
}

export function createRunRecorder(
  { clock, journal, events, log }: SupervisorComponents,
  { record, logDir, logs }: { record: RunRecord; logDir: string; logs: LogLimits },
): RunRecorder {
  const { runId, service, executor } = record
  const writer = createLogWriter(logDir, 'node', limitsOf('node', logs, runSpecOf(record).grant.diskBytes))
  let { restarts } = record
  return {
    get restarts() {
      return restarts
    },
    transition(change) {
      const at = Math.floor(clock.now())
      journal.update(runId, { ...change, at })
      restarts = change.restarts ?? restarts
      const { state, exitCode } = change
      const detail = change.detail === '' ? undefined : change.detail
      if (state === undefined) return
      const parts = [state, exitCode === undefined ? undefined : `exit code ${exitCode}`, detail]
      writer
        .write(formatLine('node', at, parts.filter((part) => part !== undefined).join(': ')))
        .catch((error: unknown) => {
          log.warn('a line of a log could not be written', { runId, reason: messageOf(error) })
        })
      events.emit('execution:state', { service, runId, executor, state, at, restarts, exitCode, detail })
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  }
}
