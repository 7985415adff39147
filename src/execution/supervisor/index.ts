export { createSupervisor } from './supervisor.ts'
export type {
  CodeProvider,
  Granted,
  HealthSettings,
  OutputKeeper,
  Resources,
  Supervisor,
  SupervisorComponents,
  SupervisorInit,
} from './types.ts'
