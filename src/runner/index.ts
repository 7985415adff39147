export { decideNetwork, grantBy } from './andromeda/network-grant.ts'
export { rewardFor, usageCost } from './andromeda/usage-cost.ts'
export {
  type AvailableExecutor,
  NOTHING_KNOWN,
  type NodeFacts,
  type ReceivedService,
  type RunnerSnapshot,
  type RunningService,
} from './contract.ts'
export { RunnerError } from './errors.ts'
export type { RunnerEvents } from './events.ts'
export { limitError } from './grant-limits.ts'
export { createRunnerHost } from './host.ts'
export { createInProcessRunnerHost } from './in-process-host.ts'
export { toReceivedService } from './received-service.ts'
export type { RunnerHost, RunnerHostInit } from './types.ts'
