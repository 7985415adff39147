import type { RunRecord } from '../../base/run-record.ts'
import type { Builds } from '../builds/types.ts'
import type { AdoptedRun, Executor, Plan, Run } from '../types.ts'
import type { CodeLease } from './code-lease.ts'
import type { RunEgress } from './run-egress.ts'
import type { RunRecorder } from './run-recorder.ts'
import type { RunSpec } from './run-spec.ts'
import type { StartQueue } from './start-queue.ts'
import type { StepRetry } from './step-retry.ts'
import type { SupervisorComponents, SupervisorInit } from './types.ts'
import type { WorkerEvent, WorkerState } from './worker-state.ts'

/** One service's run on this node, from its decision to its end, over restarts. */
export interface RunWorker {
  readonly runId: string
  readonly spec: RunSpec
  readonly healthy: boolean
  /** see `Granted.begun` */
  readonly begun: boolean
  /** It has exited by itself, and was not healthy since. */
  readonly failing: boolean
  /** How often it has exited by itself since it was healthy, or ran for long. */
  readonly failures: number
  readonly run: Run | undefined
  /** It was stopped, or it has expired. */
  readonly ending: boolean
  /** Resolves when the run has reached a final state, or the node detaches from it. Never rejects. */
  readonly done: Promise<void>
  /** The policy is another: its connections that it does not allow are cut. */
  reviseNetwork(): void
  /** The wish is journalled already. */
  stop(why: string, graceMs: number): void
  /** Detaches from the run (it goes on) or ends it with the node. */
  close(end: boolean): void
}

export type RunWorkerInit = Pick<SupervisorInit, 'dirs' | 'health' | 'logs' | 'graceMs' | 'netcap'> & {
  readonly record: RunRecord
  readonly executor: Executor
  readonly builds: Builds
  /** the node closes */
  readonly closing: AbortSignal
  /** What goes on when the run is over, and ends with `closing`. */
  later(work: Promise<void>): void
  /** of all runs of this node */
  readonly startQueue: StartQueue
  /** what the executor found of a run that the journal had when the node started; undefined for a new one */
  readonly found: Promise<AdoptedRun | undefined> | undefined
  /** asked before a run that the journal had, and that no executor knows any more, begins again */
  readonly mayBegin?: ((options: { signal: AbortSignal }) => Promise<void>) | undefined
  /** resolves when those that have to end before it begins have ended */
  readonly evictionsDone: Promise<void> | undefined
  onHealthy(): void
  /** Ends the older versions; resolves when they have ended. */
  endOlder(): Promise<unknown>
  /** Is there an older version that is healthy, and ends when this one is? */
  updates(): boolean
}

/** What the steps of one run share. */
export type StepContext = {
  readonly components: SupervisorComponents
  readonly init: RunWorkerInit
  readonly spec: RunSpec
  /** what the executor removes the run by */
  readonly handle: unknown
  readonly lease: CodeLease
  readonly recorder: RunRecorder
  readonly egress: RunEgress
  readonly retries: StepRetry
  /** ends fetching, building, starting and back-offs: the run is to end, or the node closes */
  readonly interrupt: AbortSignal
  /** ends everything: the node closes and leaves the run as it is */
  readonly detach: AbortSignal
  planFor(spec: RunSpec, codeDir: string | undefined): Plan
  state(): WorkerState
  dispatch(event: WorkerEvent): void
}
