export type { TrustChange, TrustEvents } from './events.ts'
export { createTrust } from './trust.ts'
export { createTrustStore } from './trust-store.ts'
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
  TrustStoreComponents,
  TrustSubject,
  TrustTree,
} from './types.ts'
