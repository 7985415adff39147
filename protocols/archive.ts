import { z } from 'zod'
import { type CID, cidOfStructure } from './encoding.ts'
import {
  CHUNK_BYTES,
  MAX_ARCHIVE_ANSWER_BYTES,
  MAX_CHUNKS,
  MAX_CHUNKS_PER_REQUEST,
  MAX_MANIFEST_BYTES,
  MAX_REQUEST_BYTES,
} from './limits.ts'
import { bytes, cid, decodeShape, encodeShape, listOf, text, wholeNumber } from './shape.ts'

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
  return encodeShape(manifestSchema, manifest, MAX_MANIFEST_BYTES)
}

export function decodeManifest(encoded: Uint8Array): ArchiveManifest {
  return decodeShape(manifestSchema, encoded, MAX_MANIFEST_BYTES)
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
])
/** Requests follow one another on one stream; each is answered in order. */
export type ArchiveRequest = z.output<typeof requestSchema>

const answerSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('bytes'), bytes: bytes() }),
  z.strictObject({ is: z.literal('zstd'), bytes: bytes() }),
  z.strictObject({ is: z.literal('error'), message: text(256) }),
])
/** One frame: the manifest, or one chunk (a request for n chunks gets n frames), or why not (and nothing more). */
export type ArchiveAnswer = z.output<typeof answerSchema>

export function encodeArchiveRequest(request: ArchiveRequest): Uint8Array {
  return encodeShape(requestSchema, request, MAX_REQUEST_BYTES)
}

export function decodeArchiveRequest(encoded: Uint8Array): ArchiveRequest {
  return decodeShape(requestSchema, encoded, MAX_REQUEST_BYTES)
}

export function encodeArchiveAnswer(answer: ArchiveAnswer): Uint8Array {
  return encodeShape(answerSchema, answer, MAX_ARCHIVE_ANSWER_BYTES)
}

export function decodeArchiveAnswer(encoded: Uint8Array): ArchiveAnswer {
  return decodeShape(answerSchema, encoded, MAX_ARCHIVE_ANSWER_BYTES)
}
