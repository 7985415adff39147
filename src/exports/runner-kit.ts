/** What the author of a runner builds upon: the types of its contract, and what it is tested with. */
export type { Grant, Need, NetworkGrant, Reason, Verdict, WakeCondition } from '../base/verdict.ts'
export type { RunnerConfig } from '../config/index.ts'
export type {
  AvailableExecutor,
  Capacity,
  FrozenAmount,
  HubStatement,
  QuorumState,
  ReceivedRun,
  ReceivedService,
  ReceivedSource,
  Resources,
  Runner,
  RunnerContext,
  RunnerLog,
  RunnerSnapshot,
  RunningService,
} from '../runner/contract.ts'
export { RunnerError } from '../runner/errors.ts'
export {
  assertRunner,
  type CheckName,
  type CheckOptions,
  type CheckResult,
  checkRunner,
  decide,
  EXAMPLE_NODE,
  EXAMPLE_STRANGER,
  exampleService,
  exampleSnapshot,
  type OpenRunner,
  openRunner,
  type RunnerOptions,
  type RunnerReport,
  type ServiceOverrides,
  type SnapshotOverrides,
} from '../runner/kit/index.ts'
