import { codeId } from '../../protocols/archive.ts'
import { encodeCanonical, sha256 } from '../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../protocols/limits.ts'
import { tars } from './archive-tar.ts'
import { type Draft, hex, noCbor, refuses, type VectorFile } from './kit.ts'

const ONE = new TextEncoder().encode('not a tar, but one chunk')
const small = { v: 1, size: ONE.byteLength, chunkSize: CHUNK_BYTES, chunks: [sha256(ONE)] }
/** 1 MiB of zeros, then five more. */
const two = {
  ...small,
  size: CHUNK_BYTES + 5,
  chunks: [sha256(new Uint8Array(CHUNK_BYTES)), sha256(new Uint8Array(5))],
}
const code = codeId(encodeCanonical(small))

export function archive(): VectorFile {
  return {
    about:
      'Canonical tars; manifests, requests and answers of /thundercloud/archive/1. "one chunk" is the manifest of the ASCII text ' +
      '"not a tar, but one chunk"; "two chunks" of 1048581 zero bytes.',
    cases: [
      noCbor('archive.manifest'),
      noCbor('archive.request'),
      noCbor('archive.answer'),
      ...tars(),
      ...manifests(),
      ...requests(),
      ...answers(),
    ],
  }
}

function manifests(): Draft[] {
  const manifest = (name: string, value: unknown): Draft => ({
    name: `manifest: ${name}`,
    op: 'archive.manifest',
    bytes: hex(encodeCanonical(value)),
  })
  const bad = (name: string, change: object, field: string) => ({
    ...manifest(name, { ...small, ...change }),
    ...refuses('shape', field),
  })
  return [
    manifest('one chunk', small),
    manifest('two chunks', two),
    manifest('exactly one chunk', { ...small, size: CHUNK_BYTES }),
    bad('size 0', { size: 0, chunks: [] }, 'size'),
    bad('a chunk too few', { size: CHUNK_BYTES + 1 }, 'chunks'),
    bad('a chunk too many', { chunks: [sha256(), sha256()] }, 'chunks'),
    bad('another chunk size', { chunkSize: 512 * 1024 }, 'chunkSize'),
    bad('larger than 4 GiB', { size: CHUNK_BYTES * MAX_CHUNKS + 1 }, 'size'),
    bad('a hash of 20 bytes', { chunks: [sha256().subarray(12)] }, 'chunks[0]'),
    bad('an unknown field', { name: 'a' }, ''),
    bad('v 2', { v: 2 }, 'v'),
  ]
}

function requests(): Draft[] {
  const request = (name: string, value: unknown): Draft => ({
    name: `request: ${name}`,
    op: 'archive.request',
    bytes: hex(encodeCanonical(value)),
  })
  const chunks = { v: 1, want: 'chunks', code, first: 0, count: 16, zstd: true }
  const bad = (name: string, value: unknown, field: string) => ({ ...request(name, value), ...refuses('shape', field) })
  return [
    request('manifest', { v: 1, want: 'manifest', code }),
    request('chunks', chunks),
    request('the last possible chunk', { ...chunks, first: MAX_CHUNKS - 1, count: 1, zstd: false }),
    bad('manifest with a range', { ...chunks, want: 'manifest' }, ''),
    bad('no chunks', { ...chunks, count: 0 }, 'count'),
    bad('17 chunks', { ...chunks, count: 17 }, 'count'),
    bad('beyond the last chunk', { ...chunks, first: MAX_CHUNKS }, 'first'),
    bad('zstd is a number', { ...chunks, zstd: 1 }, 'zstd'),
    bad('something else', { v: 1, want: 'everything', code }, 'want'),
    bad('code as text', { v: 1, want: 'manifest', code: code.toString() }, 'code'),
  ]
}

function answers(): Draft[] {
  const answer = (name: string, value: unknown): Draft => ({
    name: `answer: ${name}`,
    op: 'archive.answer',
    bytes: hex(encodeCanonical(value)),
  })
  const bad = (name: string, value: unknown, field: string) => ({ ...answer(name, value), ...refuses('shape', field) })
  return [
    answer('bytes', { is: 'bytes', bytes: ONE }),
    answer('zstd', { is: 'zstd', bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd) }),
    answer('error', { is: 'error', message: 'not here' }),
    bad('error of 257 bytes', { is: 'error', message: 'e'.repeat(257) }, 'message'),
    bad('bytes as text', { is: 'bytes', bytes: 'a' }, 'bytes'),
    bad('of an unknown kind', { is: 'gzip', bytes: ONE }, 'is'),
  ]
}
