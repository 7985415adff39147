/**
 * Runs services under their grants and keeps them running: executors (docker, host), the door through which a run is
 * reached, and the supervisor, whose journalled intents survive the node.
 *
 * ```ts
 * const executors = [createDockerExecutor(components, init), createHostExecutor(components, init)]
 * const supervisor = createSupervisor({ ...components, executors }, init)
 * await supervisor.boot()
 * supervisor.run(service, grant)
 * ```
 */
export { MAX_RUNTIME_DIR_BYTES } from './constants.ts'
export type {
  AdoptedRun,
  Availability,
  EndReason,
  Executor,
  Plan,
  Run,
  RunEnd,
  RunnableService,
  RunStats,
} from './contract.ts'
export { createDockerExecutor, type DockerConfig, type DockerExecutorInit } from './docker/index.ts'
export { EngineGoneError, NoCapacityError, RunRefusedError } from './errors.ts'
export type { ExecutionEvents } from './events.ts'
export { createHostExecutor, type HostExecutorInit } from './host/index.ts'
export { FINAL_STATES, type RunChange, type RunJournal, type RunRecord, type RunState } from './journal.ts'
export type { LogLine } from './logs/format.ts'
export type { LogLimits } from './logs/writer.ts'
export {
  type CodeProvider,
  createSupervisor,
  type ObtainedCode,
  type Room,
  type RunStatus,
  type StopOptions,
  type Supervisor,
  type SupervisorComponents,
  type SupervisorInit,
} from './supervisor/index.ts'
