import { z } from 'zod'
import { type CID, compareBytes } from '../encoding.ts'
import { ProtocolError } from '../errors.ts'
import {
  MAX_ANNOUNCEMENT_BYTES,
  MAX_DEPTH,
  MAX_REQUEST_BYTES,
  MAX_STATEMENT_BYTES,
  MAX_SYNC_ITEMS,
  MAX_SYNC_STATEMENTS,
} from '../limits.ts'
import { addressOf, decodeWith, encodeWith, innerBytes, listOf, structureId, text, wholeNumber } from '../schema.ts'

export const SYNC_PROTOCOL = '/thundercloud/sync/1'

const item = z.tuple([structureId, wholeNumber(0, MAX_DEPTH)])
/** A live service (or stop) that the speaker would emit, and the depth it would carry. */
export type SyncItem = z.output<typeof item>

const statementItem = z.tuple([structureId, addressOf])
/** A hub statement that the speaker keeps (the id of its encoded bytes), and its signer's address bytes. */
export type StatementItem = z.output<typeof statementItem>

const requestSchema = z.discriminatedUnion('want', [
  /** What would you emit? Ids after `after` in byte order, a page at a time. */
  z.strictObject({ v: z.literal(1), want: z.literal('list'), after: structureId.optional() }),
  /** Send me these. */
  z.strictObject({ v: z.literal(1), want: z.literal('pull'), ids: listOf(structureId, MAX_SYNC_ITEMS) }),
  /** I would emit these; pull them if they are better than what you have. */
  z.strictObject({ v: z.literal(1), want: z.literal('offer'), items: listOf(item, MAX_SYNC_ITEMS) }),
  /** A stop, handed straight to a node that runs the service. */
  z.strictObject({ v: z.literal(1), want: z.literal('tell'), announcement: innerBytes(MAX_ANNOUNCEMENT_BYTES) }),
  /** Which hub statements do you keep? As `list`. */
  z.strictObject({ v: z.literal(1), want: z.literal('statements'), after: structureId.optional() }),
  /** Send me these statements. */
  z.strictObject({
    v: z.literal(1),
    want: z.literal('pull-statements'),
    ids: listOf(structureId, MAX_SYNC_STATEMENTS),
  }),
])
/** One request a stream. */
export type SyncRequest = z.output<typeof requestSchema>

const answerSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('items'), items: listOf(item, MAX_SYNC_ITEMS), more: z.boolean() }),
  z.strictObject({ is: z.literal('announcement'), announcement: innerBytes(MAX_ANNOUNCEMENT_BYTES) }),
  z.strictObject({
    is: z.literal('statements'),
    items: listOf(statementItem, MAX_SYNC_STATEMENTS),
    more: z.boolean(),
  }),
  z.strictObject({ is: z.literal('statement'), statement: innerBytes(MAX_STATEMENT_BYTES) }),
  z.strictObject({ is: z.literal('end') }),
  z.strictObject({ is: z.literal('error'), message: text(256) }),
])
/**
 * list: one `items`. pull: an `announcement` for each id that the speaker still emits, then `end`. offer, tell: `end`.
 * statements: one `statements`. pull-statements: a `statement` for each id that the speaker still keeps, then `end`.
 */
export type SyncAnswer = z.output<typeof answerSchema>

export function encodeSyncRequest(request: SyncRequest): Uint8Array {
  return encodeWith(requestSchema, request, MAX_REQUEST_BYTES)
}

export function decodeSyncRequest(encoded: Uint8Array): SyncRequest {
  return decodeWith(requestSchema, encoded, MAX_REQUEST_BYTES)
}

export function encodeSyncAnswer(answer: SyncAnswer): Uint8Array {
  return encodeWith(answerSchema, answer, MAX_REQUEST_BYTES)
}

export function decodeSyncAnswer(encoded: Uint8Array): SyncAnswer {
  return decodeWith(answerSchema, encoded, MAX_REQUEST_BYTES)
}

/**
 * Is this the page that follows `after`? Ids ascend and come after it, and a page that says there is more has some: so every
 * page leads on, and a list ends. Throws a ProtocolError otherwise: whoever sorts differently costs the reader without end.
 */
export function checkPage(
  page: { items: readonly (readonly [CID, ...unknown[]])[]; more: boolean },
  after?: CID,
): void {
  let last = after
  for (const [index, [id]] of page.items.entries()) {
    if (last !== undefined && compareBytes(id.bytes, last.bytes) <= 0) {
      throw new ProtocolError(`items[${index}]`, 'does not come after the id before it')
    }
    last = id
  }
  if (page.more && page.items.length === 0) throw new ProtocolError('more', 'says that there are others and lists none')
}
