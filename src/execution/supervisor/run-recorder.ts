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
  /** A line of the run's own log. */
  note(line: string): void
  readonly restarts: number
  /** see `Granted.begun` */
  readonly begun: boolean
}

export function createRunRecorder(
  { clock, disk, journal, events, log }: SupervisorComponents,
  { record, logDir, logs }: { record: RunRecord; logDir: string; logs: LogLimits },
): RunRecorder {
  const { runId, service, executor } = record
  const writer = createLogWriter(logDir, 'node', limitsOf('node', logs, runSpecOf(record).grant.diskBytes), disk)
  let { restarts, state: last } = record
  let begun = (record.handle ?? null) !== null
  let closed = false

  function write(at: number, line: string): void {
    // a build goes on for others when the run that it began for is over
    if (closed) return
    writer.write(formatLine('node', at, line)).catch((error: unknown) => {
      log.warn('a line of a log could not be written', { runId, reason: messageOf(error) })
    })
  }

  return {
    note: (line) => write(Math.floor(clock.now()), line),
    get restarts() {
      return restarts
    },
    get begun() {
      return begun
    },
    transition(change) {
      const at = Math.floor(clock.now())
      journal.update(runId, { ...change, at })
      restarts = change.restarts ?? restarts
      begun ||= change.handle !== undefined
      const { state, exitCode } = change
      const detail = change.detail === '' ? undefined : change.detail
      if (state === undefined) return
      const goesOn = last === 'running' && state === 'running'
      last = state
      if (goesOn) write(at, GOES_ON)
      else write(at, lineOf(change))
      events.emit('execution:state', { service, runId, executor, state, at, restarts, exitCode, detail })
    },
    [Symbol.asyncDispose]() {
      closed = true
      return writer[Symbol.asyncDispose]()
    },
  }
}

/** An earlier process of the node had started it. */
const GOES_ON = 'running: it went on while the node was away'

function lineOf({ state, exitCode, detail }: RunChange): string {
  const said = detail === '' ? undefined : detail
  return [state, exitCode === undefined ? undefined : `exit code ${exitCode}`, said]
    .filter((part) => part !== undefined)
    .join(': ')
}
