import { z } from 'zod'
import { MAX_RECEIPT_BYTES, MAX_REQUEST_BYTES, MAX_TOKEN_BYTES } from '../limits.ts'
import { decodeWith, encodeWith, innerBytes, structureId, text, wholeNumber } from '../schema.ts'

export const STATUS_PROTOCOL = '/thundercloud/status/1'

const requestSchema = z.discriminatedUnion('want', [
  z.strictObject({ v: z.literal(1), want: z.literal('receipt'), service: structureId }),
  z.strictObject({
    v: z.literal(1),
    want: z.literal('logs'),
    service: structureId,
    /** lines from the end to begin with */
    tail: wholeNumber(0, 10_000),
    follow: z.boolean(),
    token: innerBytes(MAX_TOKEN_BYTES).optional(),
  }),
])
/** One request a stream. `receipt` is open to all; `logs` need the author's peer id or an access token. */
export type StatusRequest = z.output<typeof requestSchema>

const answerSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('receipt'), receipt: innerBytes(MAX_RECEIPT_BYTES) }),
  z.strictObject({
    is: z.literal('log'),
    stream: z.enum(['out', 'err', 'node']),
    at: wholeNumber(0),
    line: text(16 * 1024),
  }),
  z.strictObject({ is: z.literal('end') }),
  z.strictObject({ is: z.literal('error'), message: text(512) }),
])
/** A signed receipt; or log lines (`at` in milliseconds) and an end; or why not. */
export type StatusAnswer = z.output<typeof answerSchema>

export function encodeStatusRequest(request: StatusRequest): Uint8Array {
  return encodeWith(requestSchema, request, MAX_REQUEST_BYTES)
}

export function decodeStatusRequest(encoded: Uint8Array): StatusRequest {
  return decodeWith(requestSchema, encoded, MAX_REQUEST_BYTES)
}

export function encodeStatusAnswer(answer: StatusAnswer): Uint8Array {
  return encodeWith(answerSchema, answer, MAX_REQUEST_BYTES)
}

export function decodeStatusAnswer(encoded: Uint8Array): StatusAnswer {
  return decodeWith(answerSchema, encoded, MAX_REQUEST_BYTES)
}
