import { z } from 'zod'
import { MAX_STATEMENT_BYTES } from './limits.ts'
import { addressOf, checkStatementLifetime, cid, decodeWith, encodeWith, seconds, wholeNumber } from './schema.ts'
import { urlSchema } from './service.ts'

/** How bad what the hub found is; worst last. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

export const attestationSchema = z
  .strictObject({
    v: z.literal(1),
    /** address bytes of the hub */
    hub: addressOf,
    code: cid,
    verdict: z.enum(['safe', 'unsafe']),
    issued: seconds,
    expires: seconds,
    /** scoped to (hub, code) */
    seq: wholeNumber(0),
    /** where people read why */
    report: urlSchema.optional(),
    severity: z.enum(SEVERITIES).optional(),
  })
  .superRefine(checkStatementLifetime)
  .refine(({ verdict, severity }) => severity === undefined || verdict === 'unsafe', {
    path: ['severity'],
    message: 'stands only beside the verdict "unsafe"',
  })

/** A hub's statement on one code, whatever service carries it. */
export type AttestationBody = z.output<typeof attestationSchema>

export function encodeAttestation(body: AttestationBody): Uint8Array {
  return encodeWith(attestationSchema, body, MAX_STATEMENT_BYTES)
}

export function decodeAttestation(body: Uint8Array): AttestationBody {
  return decodeWith(attestationSchema, body, MAX_STATEMENT_BYTES)
}
