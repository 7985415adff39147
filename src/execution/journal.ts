import type { RunRecord, RunState } from '../base/run-record.ts'
import type { UsagePoint, UsageRecord } from '../base/run-usage.ts'

export const FINAL_STATES: readonly RunState[] = ['exited', 'failed', 'stopped', 'refused']

export type RunChange = Partial<
  Pick<RunRecord, 'state' | 'handle' | 'wanted' | 'startedAt' | 'exitCode' | 'detail' | 'restarts'>
>

/** What must survive `kill -9`. Every call is durable when it returns. */
export interface RunJournal {
  /** state 'decided', wanted 'run' */
  create(run: { runId: string; service: string; executor: string; plan: unknown; at: number }): void
  /** A change of state is also appended to the run's transitions. */
  update(runId: string, change: RunChange & { at: number }): void
  get(runId: string): RunRecord | undefined
  /** the newest */
  ofService(service: string): RunRecord | undefined
  /** state not in FINAL_STATES */
  unfinished(): RunRecord[]
  transitions(runId: string): { state: RunState; at: number; detail?: string | undefined }[]
  all(): RunRecord[]
  usage(runId: string): UsageRecord | undefined
  /** In the place of what was recorded of the run before; `point` is added to its history. */
  recordUsage(runId: string, usage: UsageRecord, point: UsagePoint): void
}
