export type { IntakeEvents } from './events.ts'
export { createIntake } from './intake.ts'
export type { QuotaInit } from './quotas.ts'
export type { Decider, Intake, SignedService } from './types.ts'
