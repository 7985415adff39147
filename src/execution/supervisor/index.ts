export { createSupervisor } from './supervisor.ts'
export type { CodeProvider, Granted, Resources, Supervisor, SupervisorComponents, SupervisorInit } from './types.ts'
