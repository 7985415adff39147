import type { RunState } from '../base/run-record.ts'

export type ExecutionEvents = {
  'execution:state': {
    service: string
    runId: string
    executor: string
    state: RunState
    at: number
    restarts: number
    exitCode?: number | undefined
    detail?: string | undefined
  }
  /** A run has ended and holds nothing any more. */
  'execution:freed': { service: string; runId: string }
  /** Every declared port answered and it stayed up; without ports: it was up for the healthy time. */
  'execution:healthy': { service: string; runId: string; at: number; afterMs: number }
  /** What a run has used was looked at, and is in the journal. */
  'execution:usage': { service: string; runId: string }
  'execution:fetch-progress': { service: string; runId: string; doneBytes: number; totalBytes: number }
  /** The executor went away under a run, or came back. */
  'execution:executor': { executor: string; available: boolean; detail: string }
  /** Found in an engine, ours, and in no journal: it was ended. */
  'execution:orphan-removed': { executor: string; runId: string; service: string }
}
