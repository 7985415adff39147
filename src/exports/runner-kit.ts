/** What the author of a runner builds upon: the types of its contract. */
export type { Condition, Grant, Need, NetworkGrant, Reason, Verdict } from '../base/verdict.ts'
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
