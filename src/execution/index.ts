/**
 * Runs services under their grants and keeps them running: executors (docker, host), the gateway through which a run is
 * reached, and the supervisor, whose journalled intents survive the node.
 *
 * ```ts
 * const executors = [createDockerExecutor(components, init), createHostExecutor(components, init)]
 * const supervisor = createSupervisor({ ...components, executors }, init)
 * await supervisor.boot()
 * supervisor.run(service, grant)
 * ```
 */

export { buildNetwork } from './builds/build-network.ts'
export { createDockerExecutor, type DockerExecutorInit } from './docker/index.ts'
export {
  bestFirst,
  createDormitory,
  type Dormitory,
  type DormitoryState,
  findSlot,
  lowest,
  type ParkResult,
} from './dormitory/index.ts'
export { type PlanEgress, PROXY_PORT, proxyUrl } from './egress-targets.ts'
export { EngineGoneError, NoCapacityError, RunRefusedError } from './errors.ts'
export type { ExecutionEvents } from './events.ts'
export { createHostExecutor, type HostExecutorInit } from './host/index.ts'
export { createSandboxExecutor } from './host/sandbox-task.ts'
export { FINAL_STATES, type RunJournal } from './journal.ts'
export type { LogLimits } from './logs/writer.ts'
export type { TaskOutputs } from './outputs.ts'
export {
  createPoolExecutor,
  type PoolDataView,
  type PoolExecutor,
  type PoolSpec,
  type Pools,
  type PoolView,
} from './pool/index.ts'
export type { Siblings } from './siblings/types.ts'
export {
  type CodeProvider,
  createSupervisor,
  type Granted,
  type HealthSettings,
  type OutputKeeper,
  type Resources,
  type Supervisor,
  type SupervisorComponents,
  type SupervisorInit,
} from './supervisor/index.ts'
export { capacityFor, NEWER_VERSION_RUNS } from './supervisor/resources.ts'
export { healthyWhen } from './supervisor/restart-policy.ts'
export { mayBegin, runSpecOf } from './supervisor/run-spec.ts'
export { createSwarmExecutor, type SwarmExecutorInit } from './swarm/index.ts'
export type {
  Availability,
  Executor,
  Plan,
  Run,
  RunEnd,
  RunnableService,
  WarmStarts,
} from './types.ts'
export { createUserIds, mappedRange, type UserIds } from './user-ids.ts'
export type { WantedWarm } from './warm/types.ts'
