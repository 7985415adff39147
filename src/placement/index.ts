/**
 * Which nodes run a service that wants replicas, without a scheduler: each node asks the others for their claims and
 * decides for itself (section 21 of protocols/README.md).
 */
export { createClaimCheck } from './claim-check.ts'
export { claimReasons, leavingFor } from './claim-reasons.ts'
export { createOwnClaims, type OwnClaims } from './own-claims.ts'
export { createPlacement } from './placement.ts'
export type { Claimant, ClaimMesh, PlacedServices, Placement } from './types.ts'
