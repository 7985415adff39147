import type { ReceivedService, RunnerSnapshot } from '../contract.ts'
import type { ServiceOverrides, SnapshotOverrides } from './examples.ts'
import type { OpenRunner, RunnerOptions } from './open.ts'
import type { CaseResults } from './run-cases.ts'

/** What is asked of every runner, by name. */
export type CheckName =
  | 'loads'
  | 'answers'
  | 'in-time'
  | 'shape'
  | 'reasons'
  | 'fails-closed'
  | 'no-capacity'
  | 'grants'
  | 'hostile'
  | 'key-order'
  | 'deterministic'
  | 'accepts'
  | 'cancellation'
  | 'memory'

export type CheckOptions = RunnerOptions & {
  /** a service and a snapshot (or what differs from the examples) that the runner runs: its grant is looked at too */
  readonly accepts?:
    | { readonly service?: ServiceOverrides | undefined; readonly snapshot?: SnapshotOverrides | undefined }
    | undefined
  /** does it claim that the same question always has the same answer? default false */
  readonly deterministic?: boolean | undefined
  /** checks that do not hold for this runner by intent, and why: { 'fails-closed': 'a machine to be thrown away' } */
  readonly except?: Readonly<Partial<Record<CheckName, string>>> | undefined
  /** these checks alone, while you work on one */
  readonly only?: readonly CheckName[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** How one check went. `skip`: it says nothing about this runner, and `detail` says why. */
export type CheckOutcome = {
  readonly outcome: 'pass' | 'fail' | 'skip'
  /** one sentence; with `fail` what is wrong */
  readonly detail: string
}

export type CheckResult = CheckOutcome & {
  readonly name: CheckName
  /** what it demands */
  readonly demands: string
  readonly durationMs: number
}

export type RunnerReport = {
  /** absolute path of the runner */
  readonly runner: string
  /** no check failed */
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
  /** the whole report, a line for each check */
  readonly text: string
}

/** One check: a question about a runner, apart from all others. */
export type Check = {
  readonly name: CheckName
  readonly demands: string
  run(about: CheckContext): Promise<CheckOutcome>
}

export type CheckContext = {
  readonly options: CheckOptions
  /** the process that most checks share */
  readonly runner: OpenRunner
  /** answers to every example on every node, asked at once */
  readonly results: CaseResults
  /** what `accepts` names, whole */
  readonly accepts: { readonly service: ReceivedService; readonly snapshot: RunnerSnapshot } | undefined
  /** another process with the same module */
  open(options?: RunnerOptions): Promise<OpenRunner>
  /** resolves after so many milliseconds */
  wait(ms: number): Promise<void>
  /** milliseconds that only grow */
  time(): number
}

export function pass(detail: string): CheckOutcome {
  return { outcome: 'pass', detail }
}

export function fail(detail: string): CheckOutcome {
  return { outcome: 'fail', detail }
}

export function skip(detail: string): CheckOutcome {
  return { outcome: 'skip', detail }
}
