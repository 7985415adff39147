import { z } from 'zod'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { bytes, decodeWith, text, wholeNumber } from '../../../protocols/schema.ts'
import { MAX_RECORD_KEY_BYTES } from '../constants.ts'
import type { RecordMeta } from './record-index.ts'

/** A record on disk, with what the node needs after a restart. */
export type StoredRecord = { readonly meta: RecordMeta; readonly key: string; readonly value: Uint8Array }

const MAX_SIGNER_BYTES = 256
/** The longest peer id in base58 has far less. */
const MAX_PLACER_BYTES = 128

const schema = z.strictObject({
  v: z.literal(1),
  signer: text(MAX_SIGNER_BYTES),
  placer: text(MAX_PLACER_BYTES),
  second: text(MAX_PLACER_BYTES).optional(),
  receivedAt: wholeNumber(0),
  expiresAt: wholeNumber(0),
  key: text(MAX_RECORD_KEY_BYTES),
  value: bytes(),
})
const MAX_STORED_RECORD_BYTES =
  MAX_STATEMENT_BYTES + MAX_RECORD_KEY_BYTES + MAX_SIGNER_BYTES + 2 * MAX_PLACER_BYTES + 256

export function encodeStoredRecord({ meta, key, value }: StoredRecord): Uint8Array {
  return encodeCanonical({ v: 1, ...meta, key, value })
}

/** Throws a ProtocolError where the bytes are nothing that `encodeStoredRecord` wrote. */
export function decodeStoredRecord(encoded: Uint8Array): StoredRecord {
  const { v: _, key, value, ...meta } = decodeWith(schema, encoded, MAX_STORED_RECORD_BYTES)
  return { meta, key, value }
}
