import { z } from 'zod'
import { decodeAddress } from './address.ts'
import { MAX_REASON_LENGTH, MAX_REASONS, MAX_RECEIPT_BYTES } from './limits.ts'
import { addressOf, bytes, decodeWith, encodeWith, listOf, seconds, structureId, text } from './schema.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'

export const RECEIPT_PROTOCOL = '/thundercloud/receipt/1'

/** accepted: will run, or runs and is not healthy yet. running: it is healthy. unknown: the node does not know it (an answer to a status request only). */
export const RECEIPT_STATES = [
  'unknown',
  'refused',
  'redirected',
  'parked',
  'accepted',
  'running',
  'done',
  'failed',
  'stopped',
] as const
export type ReceiptState = (typeof RECEIPT_STATES)[number]

/** Rule names in the reasons with which a node reports a run: no policy has such a rule. */
export const RUN_RULES = {
  /** how the last process ended */
  exit: 'run:exit',
  /** how often it was begun again */
  restart: 'run:restart',
  /** what it waits for to be healthy */
  health: 'run:health',
  /** `claiming`, or `leaving`, of an accepted or running service: how its claim ranks */
  claim: 'run:claim',
  /** one of its last lines: in receipts to the publisher alone, in no answer to a status request */
  output: 'run:output',
  /** what it has used and what that costs by the node's prices: for the publisher alone */
  usage: 'run:usage',
  /** content id of what a task left for its author: for the publisher and those whom it lets */
  outputs: 'run:outputs',
} as const

/** Rules of the reasons with which a node tells of the code of a service: no policy has such a rule. */
export const CODE_RULES = {
  /** where it came from; a `fail` for each source that was refused or failed */
  origin: 'code:origin',
} as const

/** What would have changed one reason, for programs: a field, how it compares, and the value. */
export const needSchema = z.strictObject({
  field: text(64, 1),
  must: z.enum(['at-most', 'at-least', 'one-of', 'match', 'be']),
  value: text(MAX_REASON_LENGTH),
})

export const reasonSchema = z.strictObject({
  rule: text(64, 1),
  outcome: z.enum(['pass', 'fail', 'defer']),
  message: text(MAX_REASON_LENGTH),
  needs: needSchema.optional(),
})

const receiptSchema = z.strictObject({
  v: z.literal(1),
  /** address bytes of the node that answers */
  node: addressOf,
  service: structureId,
  state: z.enum(RECEIPT_STATES),
  /** besides what `state` says, the service was redirected */
  redirected: z.boolean(),
  reasons: listOf(reasonSchema, MAX_REASONS),
  /** sha256 of the policy in force */
  policy: bytes(32),
  at: seconds,
})

/** A node's signed report of what it does with a service, and why. */
export type ReceiptBody = z.output<typeof receiptSchema>
export type Receipt = { readonly body: ReceiptBody; readonly bytes: Uint8Array; readonly sig: Uint8Array }

const signedSchema = z.strictObject({ body: bytes(), sig: bytes() })

/** Signs a receipt; the result is what travels: dag-cbor `{ body, sig }`. A message that is too long is the caller's to cut. */
export function signReceipt(body: ReceiptBody, network: string, signer: Signer): Uint8Array {
  const encoded = encodeWith(receiptSchema, body, MAX_RECEIPT_BYTES)
  const sig = signFor(signer, network, 'receipt', encoded)
  return encodeWith(signedSchema, { body: encoded, sig }, MAX_RECEIPT_BYTES)
}

/** Decodes and verifies; throws a ProtocolError or SignatureError. */
export function verifyReceipt(encoded: Uint8Array, network: string, keys: KeyCache): Receipt {
  const signed = decodeWith(signedSchema, encoded, MAX_RECEIPT_BYTES)
  const body = decodeWith(receiptSchema, signed.body, MAX_RECEIPT_BYTES, 'body')
  const address = decodeAddress(body.node, 'body.node')
  verifySignature(keys, {
    network,
    kind: 'receipt',
    who: 'body.node',
    address,
    bytes: signed.body,
    signature: signed.sig,
  })
  return { body, bytes: signed.body, sig: signed.sig }
}
