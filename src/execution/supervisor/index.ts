export { createSupervisor } from './supervisor.ts'
export type {
  CodeProvider,
  Granted,
  HealthSettings,
  Resources,
  Supervisor,
  SupervisorComponents,
  SupervisorInit,
} from './types.ts'
