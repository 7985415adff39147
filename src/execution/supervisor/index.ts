export { createSupervisor } from './supervisor.ts'
export type { CodeProvider, Granted, Room, Supervisor, SupervisorComponents, SupervisorInit } from './types.ts'
