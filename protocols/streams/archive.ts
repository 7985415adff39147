import { z } from 'zod'
import { type CID, cidOfStructure, encodeCanonical } from '../encoding.ts'
import {
  CHUNK_BYTES,
  MAX_ARCHIVE_ANSWER_BYTES,
  MAX_BLOB_BYTES,
  MAX_CHUNKS,
  MAX_CHUNKS_PER_REQUEST,
  MAX_MANIFEST_BYTES,
  MAX_REQUEST_BYTES,
} from '../limits.ts'
import { bytes, checkSize, cid, decodeWith, encodeWith, listOf, text, wholeNumber } from '../schema.ts'

export const ARCHIVE_PROTOCOL = '/thundercloud/archive/1'

const manifestSchema = z
  .strictObject({
    v: z.literal(1),
    size: wholeNumber(1, CHUNK_BYTES * MAX_CHUNKS),
    chunkSize: z.literal(CHUNK_BYTES, `must be ${CHUNK_BYTES}`),
    chunks: listOf(bytes(32), MAX_CHUNKS),
  })
  .refine(({ size, chunks }) => chunks.length === Math.ceil(size / CHUNK_BYTES), {
    path: ['chunks'],
    message: 'must have one hash for each chunk of size',
  })

/** The chunks of a canonical tar, by sha256, in order. Its CID is the code's identity. */
export type ArchiveManifest = z.output<typeof manifestSchema>

export function encodeManifest(manifest: ArchiveManifest): Uint8Array {
  return encodeWith(manifestSchema, manifest, MAX_MANIFEST_BYTES)
}

export function decodeManifest(encoded: Uint8Array): ArchiveManifest {
  return decodeWith(manifestSchema, encoded, MAX_MANIFEST_BYTES)
}

export function codeId(manifest: Uint8Array): CID {
  return cidOfStructure(manifest)
}

/** Bytes of chunk `index`; only the last is shorter. */
export function chunkLength(manifest: ArchiveManifest, index: number): number {
  return Math.min(CHUNK_BYTES, manifest.size - index * CHUNK_BYTES)
}

const requestSchema = z.discriminatedUnion('want', [
  z.strictObject({ v: z.literal(1), want: z.literal('manifest'), code: cid }),
  z.strictObject({
    v: z.literal(1),
    want: z.literal('chunks'),
    code: cid,
    first: wholeNumber(0, MAX_CHUNKS - 1),
    count: wholeNumber(1, MAX_CHUNKS_PER_REQUEST),
    /** The client can read zstd; the server may still send a chunk plain. */
    zstd: z.boolean(),
  }),
  z.strictObject({
    v: z.literal(1),
    want: z.literal('blob'),
    /** the raw CID of an image's manifest, which names the blob */
    code: cid,
    /** sha256 of the blob */
    digest: bytes(32),
    offset: wholeNumber(0, MAX_BLOB_BYTES - 1),
    length: wholeNumber(1, CHUNK_BYTES),
  }),
])
/** Requests follow one another on one stream; each is answered in order. */
export type ArchiveRequest = z.output<typeof requestSchema>

const answerSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('bytes'), bytes: bytes() }),
  z.strictObject({ is: z.literal('zstd'), bytes: bytes() }),
  z.strictObject({ is: z.literal('error'), message: text(256) }),
])
/** One frame: the manifest, a range of a blob, or one chunk (a request for n chunks gets n frames), or why not (and nothing more). */
export type ArchiveAnswer = z.output<typeof answerSchema>

export function encodeArchiveRequest(request: ArchiveRequest): Uint8Array {
  return encodeWith(requestSchema, request, MAX_REQUEST_BYTES)
}

export function decodeArchiveRequest(encoded: Uint8Array): ArchiveRequest {
  return decodeWith(requestSchema, encoded, MAX_REQUEST_BYTES)
}

export function encodeArchiveAnswer(answer: ArchiveAnswer): Uint8Array {
  if (answer.is === 'error' || answer.bytes.byteLength < LONG_BYTES) {
    return encodeWith(answerSchema, answer, MAX_ARCHIVE_ANSWER_BYTES)
  }
  const { frame, bytes } = longFrame(answer.is, answer.bytes.byteLength)
  bytes.set(answer.bytes)
  return frame
}

/** A chunk's answer whose bytes are still to be filled in: so a chunk is read from the disk to where it is sent from. */
export function chunkAnswer(length: number): { frame: Uint8Array; bytes: Uint8Array } {
  if (length >= LONG_BYTES) return longFrame('bytes', length)
  const frame = encodeWith(answerSchema, { is: 'bytes', bytes: new Uint8Array(length) }, MAX_ARCHIVE_ANSWER_BYTES)
  return { frame, bytes: frame.subarray(frame.byteLength - length) }
}

/** The bytes of the answer may be a view of `encoded`. */
export function decodeArchiveAnswer(encoded: Uint8Array): ArchiveAnswer {
  checkSize(encoded, MAX_ARCHIVE_ANSWER_BYTES, '')
  for (const is of ['bytes', 'zstd'] as const) {
    const bytes = decodeLong(LONG_HEADS[is], encoded)
    if (bytes !== undefined) return { is, bytes }
  }
  return decodeWith(answerSchema, encoded, MAX_ARCHIVE_ANSWER_BYTES)
}

/**
 * Chunks are most of what this protocol carries, and each has one spelling: a map of two, "is", its text, "bytes", and a
 * byte string whose length takes four bytes. That is put together, checked and taken apart by hand, without a copy;
 * anything else goes the way of all messages.
 */
const LONG_BYTES = 0x10000
const LONG_HEADS = { bytes: longHead('bytes'), zstd: longHead('zstd') }

function longHead(is: 'bytes' | 'zstd'): Uint8Array {
  const encoded = encodeCanonical({ is, bytes: new Uint8Array(LONG_BYTES) })
  return encoded.slice(0, encoded.byteLength - LONG_BYTES - 4)
}

function longFrame(is: 'bytes' | 'zstd', length: number): { frame: Uint8Array; bytes: Uint8Array } {
  const head = LONG_HEADS[is]
  const frame = new Uint8Array(head.byteLength + 4 + length)
  checkSize(frame, MAX_ARCHIVE_ANSWER_BYTES, '')
  frame.set(head)
  new DataView(frame.buffer).setUint32(head.byteLength, length)
  return { frame, bytes: frame.subarray(head.byteLength + 4) }
}

function decodeLong(head: Uint8Array, encoded: Uint8Array): Uint8Array | undefined {
  const start = head.byteLength + 4
  if (encoded.byteLength < start + LONG_BYTES || head.some((byte, index) => encoded[index] !== byte)) return undefined
  const length = new DataView(encoded.buffer, encoded.byteOffset + head.byteLength, 4).getUint32(0)
  return length === encoded.byteLength - start ? encoded.subarray(start) : undefined
}
