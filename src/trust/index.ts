export type { TrustChange, TrustEvents } from './events.ts'
export { createTrust } from './trust.ts'
export type {
  Assumed,
  Relied,
  StatementView,
  Taken,
  TreeBranch,
  Trust,
  TrustComponents,
  TrustFacts,
  TrustPolicy,
  TrustSubject,
  TrustTree,
} from './types.ts'
