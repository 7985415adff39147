export type { TrustChange, TrustEvents } from './events.ts'
export { createTrust } from './trust.ts'
export type {
  Assumed,
  IngestResult,
  ServiceInUse,
  StatementView,
  TreeBranch,
  Trust,
  TrustComponents,
  TrustFacts,
  TrustPolicy,
  TrustSubject,
  TrustTree,
} from './types.ts'
