import { cidOfBytes, encodeCanonical, sha256 } from '../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../protocols/limits.ts'
import { codeId } from '../../protocols/streams/archive.ts'
import { tars } from './archive-tar.ts'
import { type Draft, hex, noCbor, refuses, unhex, type VectorFile } from './kit/kit.ts'
import { join } from './raw.ts'

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
      ...compressed(),
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
  const image = cidOfBytes(ONE)
  const blob = { v: 1, want: 'blob', code: image, digest: sha256(), offset: 0, length: CHUNK_BYTES }
  const chunks = { v: 1, want: 'chunks', code, first: 0, count: 16, zstd: true }
  const bad = (name: string, value: unknown, field: string) => ({ ...request(name, value), ...refuses('shape', field) })
  return [
    request('manifest', { v: 1, want: 'manifest', code }),
    request('chunks', chunks),
    request('the last possible chunk', { ...chunks, first: MAX_CHUNKS - 1, count: 1, zstd: false }),
    request('the manifest of an image', { v: 1, want: 'manifest', code: image }),
    request('a range of a blob', blob),
    request('chunks of an image, which no server has', { ...chunks, code: image }),
    request('a blob of an archive, which no server has', { ...blob, code }),
    request('the last possible byte of a blob', { ...blob, offset: CHUNK_BYTES * MAX_CHUNKS - 1, length: 1 }),
    bad('a blob by a digest of 20 bytes', { ...blob, digest: sha256().subarray(12) }, 'digest'),
    bad('a range of nothing', { ...blob, length: 0 }, 'length'),
    bad('a range of more than a chunk', { ...blob, length: CHUNK_BYTES + 1 }, 'length'),
    bad('a range that begins too far', { ...blob, offset: CHUNK_BYTES * MAX_CHUNKS }, 'offset'),
    bad('manifest with a range', { ...chunks, want: 'manifest' }, ''),
    bad('no chunks', { ...chunks, count: 0 }, 'count'),
    bad('17 chunks', { ...chunks, count: 17 }, 'count'),
    bad('beyond the last chunk', { ...chunks, first: MAX_CHUNKS }, 'first'),
    bad('zstd is a number', { ...chunks, zstd: 1 }, 'zstd'),
    bad('something else', { v: 1, want: 'everything', code }, 'want'),
    bad('code as text', { v: 1, want: 'manifest', code: code.toString() }, 'code'),
  ]
}

/** zstd by hand: one frame of one raw block, its window as its header says (2^(10 + bits of the upper five)). */
function compressed(): Draft[] {
  const window = (log: number, eighths = 0) => Uint8Array.of(((log - 10) << 3) | eighths)
  const frame = (content: Uint8Array, header: Uint8Array) => {
    const block = (content.byteLength << 3) | 1
    const head = Uint8Array.of(block & 0xff, (block >> 8) & 0xff, block >> 16)
    return join(unhex('28b52ffd'), header, head, content)
  }
  const windowed = (log: number, eighths = 0) => frame(ONE, join(unhex('00'), window(log, eighths)))
  const unzstd = (name: string, value: Uint8Array, length = ONE.byteLength): Draft => {
    return { name: `zstd: ${name}`, op: 'archive.unzstd', bytes: hex(value), length }
  }
  const bad = (name: string, value: Uint8Array, length?: number) => ({
    ...unzstd(name, value, length),
    ...refuses('shape'),
  })
  // single segment: the window is as long as the content, which the header says in one byte
  const single = frame(ONE, Uint8Array.of(0x20, ONE.byteLength))
  return [
    unzstd('a window of 1 KiB', windowed(10)),
    unzstd('a window of 1 MiB', windowed(20)),
    unzstd('a window of the content', single),
    bad('a window of 1 MiB and an eighth', windowed(20, 1)),
    bad('a window of 2 MiB', windowed(21)),
    bad('a window of 128 MiB', windowed(27)),
    bad('unpacks to a byte less than the chunk has', windowed(20), ONE.byteLength + 1),
    bad('unpacks to a byte more than the chunk has', windowed(20), ONE.byteLength - 1),
    bad('cut', windowed(20).subarray(0, -1)),
    bad('no zstd', ONE),
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
