import { errnoOf, messageOf } from './errors.ts'

/** Of a chain of certificates that ends with nobody known. */
const UNKNOWN_AUTHORITY =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?)$/

export function isUnknownAuthority(error: unknown): boolean {
  return UNKNOWN_AUTHORITY.test(errnoOf(error) ?? '')
}

/** Why a certificate does not hold. Node.js adds advice, which is for programs that are started with options of node. */
export function certificateReason(error: unknown): string {
  return messageOf(error).split(';')[0] ?? ''
}
