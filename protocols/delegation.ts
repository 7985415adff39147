import { equals } from 'uint8arrays'
import { z } from 'zod'
import { MAX_DELEGATION_DEPTH, MAX_STATEMENT_BYTES } from './limits.ts'
import { addressOf, checkStatementLifetime, decodeWith, encodeWith, seconds, wholeNumber } from './schema.ts'

export const delegationSchema = z
  .strictObject({
    v: z.literal(1),
    /** address bytes of the issuer */
    issuer: addressOf,
    /** address bytes of the address that is vouched for */
    subject: addressOf,
    /** links that may follow below the subject; 0 = the subject alone */
    depth: wholeNumber(0, MAX_DELEGATION_DEPTH),
    issued: seconds,
    expires: seconds,
    /** scoped to (issuer, subject) */
    seq: wholeNumber(0),
    revoked: z.literal(true).optional(),
  })
  .superRefine(checkStatementLifetime)
  .refine(({ issuer, subject }) => !equals(issuer, subject), { path: ['subject'], message: 'must not be the issuer' })

/** One link of the trust tree, or its end (`revoked`). */
export type DelegationBody = z.output<typeof delegationSchema>

export function encodeDelegation(body: DelegationBody): Uint8Array {
  return encodeWith(delegationSchema, body, MAX_STATEMENT_BYTES)
}

export function decodeDelegation(body: Uint8Array): DelegationBody {
  return decodeWith(delegationSchema, body, MAX_STATEMENT_BYTES)
}
