import { z } from 'zod'
import { type CID, parseCid } from '../encoding.ts'
import { MAX_CHUNKS, MAX_REQUEST_BYTES, MAX_TOKEN_BYTES } from '../limits.ts'
import { type ReceiptBody, RUN_RULES } from '../receipt.ts'
import { decodeWith, encodeWith, innerBytes, structureId, wholeNumber } from '../schema.ts'

export const RESULTS_PROTOCOL = '/thundercloud/results/1'

/** Each request carries the right by itself: one that has expired opens nothing more. */
const asked = { v: z.literal(1), service: structureId, token: innerBytes(MAX_TOKEN_BYTES).optional() }

const requestSchema = z.discriminatedUnion('want', [
  z.strictObject({ ...asked, want: z.literal('receipt') }),
  z.strictObject({ ...asked, want: z.literal('manifest') }),
  z.strictObject({ ...asked, want: z.literal('chunk'), index: wholeNumber(0, MAX_CHUNKS - 1) }),
])
/**
 * What a task left for its author: the receipt that names it, the manifest of its archive, or one chunk. Requests follow one
 * another on one stream; each is answered in order, by an `ArchiveAnswer` that is no zstd. They need the author's peer id
 * or an access token.
 */
export type ResultsRequest = z.output<typeof requestSchema>

export function encodeResultsRequest(request: ResultsRequest): Uint8Array {
  return encodeWith(requestSchema, request, MAX_REQUEST_BYTES)
}

export function decodeResultsRequest(encoded: Uint8Array): ResultsRequest {
  return decodeWith(requestSchema, encoded, MAX_REQUEST_BYTES)
}

/** What a receipt says of a task's results: the content id of those that are kept, and what is wrong with them. */
export function resultsIn({ reasons }: Pick<ReceiptBody, 'reasons'>): { code?: CID; detail?: string } | undefined {
  const reason = reasons.find(({ rule }) => rule === RUN_RULES.outputs)
  if (reason === undefined) return undefined
  const [, id = '', detail] = /^(?:([a-z0-9]+)(?:: |$))?(.*)$/s.exec(reason.message) ?? []
  const code = codeIn(id)
  if (code === undefined) return { detail: reason.message }
  return { code, ...(detail !== undefined && detail !== '' && { detail }) }
}

function codeIn(id: string): CID | undefined {
  try {
    return parseCid(id)
  } catch {
    return undefined
  }
}
