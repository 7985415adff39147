import { zstdCompressSync } from 'node:zlib'
import { encodeAnnouncement } from '../../protocols/announcement.ts'
import { type CID, sha256 } from '../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_REQUEST_BYTES } from '../../protocols/limits.ts'
import {
  ARCHIVE_PROTOCOL,
  codeId,
  decodeArchiveRequest,
  encodeArchiveAnswer,
  encodeManifest,
} from '../../protocols/streams/archive.ts'
import { LengthPrefixedDecoder } from '../../src/network/streams/length-prefixed-decoder.ts'
import { makeService } from '../../test/fixtures/mesh/gossip-services.ts'
import { createRawPeer, framed, gossipFrame } from './raw-peer.ts'
import { AUTHOR, type Figures, MESHSUB, pause, type Target, TOPIC, until } from './target.ts'

const MIB = 1024 * 1024

type Bomb = {
  readonly code: CID
  readonly manifest: Uint8Array
  /** what each chunk is answered with */
  readonly frame: Uint8Array
  /** more than its service was granted: no chunk of it should be requested */
  readonly large: boolean
}

/** Archives that are more than what their services were granted, of an author whom the node under test trusts. */
export async function bombs({ address, ms }: Target): Promise<Figures> {
  const all = [manySmallFrames(), manyFiles(), swollenChunk()]
  const seen = { manifests: 0, chunks: 0, large: 0 }
  const peer = await createRawPeer({ identify: true })
  await peer.handle(ARCHIVE_PROTOCOL, (stream) => {
    const received = new LengthPrefixedDecoder(MAX_REQUEST_BYTES)
    stream.addEventListener('message', ({ data }) => {
      for (const piece of data instanceof Uint8Array ? [data] : data) received.add(piece)
      for (let bytes = received.take(); bytes !== undefined; bytes = received.take()) {
        const request = decodeArchiveRequest(bytes)
        const bomb = all.find(({ code }) => code.equals(request.code))
        if (bomb === undefined) return stream.abort(new Error('nobody here has it'))
        if (request.want === 'manifest') {
          seen.manifests++
          stream.send(framed(encodeArchiveAnswer({ is: 'bytes', bytes: bomb.manifest })))
          continue
        }
        if (request.want === 'blob') return stream.abort(new Error('no image is here'))
        if (bomb.large) seen.large++
        seen.chunks += request.count
        for (let chunk = 0; chunk < request.count; chunk++) {
          stream.send(framed(encodeArchiveAnswer({ is: 'zstd', bytes: bomb.frame })))
        }
      }
    })
  })
  const end = performance.now() + ms
  await until(ms, async () => {
    await peer.connect(address)
    await pause(300)
    const stream = await peer.open(MESHSUB)
    for (const [at, { code }] of all.entries()) {
      const change = { name: `bomb-${at}`, code, resources: { memory: 64 * MIB, disk: MIB, cpu: 100, pids: 16 } }
      stream.send(gossipFrame(TOPIC, encodeAnnouncement(makeService({ depth: 3, author: AUTHOR, change }))))
    }
    await pause(end - performance.now())
  })
  await peer[Symbol.asyncDispose]()
  return seen
}

/** 1 GiB of zeros that travels as 60 KiB. */
function manySmallFrames(): Bomb {
  const zeros = new Uint8Array(CHUNK_BYTES)
  const manifest = manifestOf(1024, () => sha256(zeros))
  return { code: codeId(manifest), manifest, frame: zstdCompressSync(zeros), large: true }
}

/** What 99,999 empty files are as an archive: a header of 512 bytes each. */
function manyFiles(): Bomb {
  const manifest = manifestOf(Math.ceil((99_999 * 512) / CHUNK_BYTES), (at) => sha256(Uint8Array.of(at)))
  return { code: codeId(manifest), manifest, frame: zstdCompressSync(new Uint8Array(CHUNK_BYTES)), large: true }
}

/** One chunk, as the manifest says, and a frame of it that unpacks to 512 times as much. */
function swollenChunk(): Bomb {
  const manifest = manifestOf(1, () => sha256(Uint8Array.of(1, 2, 3)))
  return { code: codeId(manifest), manifest, frame: zstdCompressSync(new Uint8Array(512 * MIB)), large: false }
}

function manifestOf(count: number, hashOf: (at: number) => Uint8Array): Uint8Array {
  const chunks = Array.from({ length: count }, (_, at) => hashOf(at))
  return encodeManifest({ v: 1, size: count * CHUNK_BYTES, chunkSize: CHUNK_BYTES, chunks })
}
