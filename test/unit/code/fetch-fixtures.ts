import { constants, zstdCompressSync } from 'node:zlib'
import { expect } from 'vitest'
import type { CID } from '../../../protocols/encoding.ts'
import type { ArchiveAnswer, ArchiveRequest } from '../../../protocols/streams/archive.ts'
import { decodeArchiveRequest, encodeArchiveAnswer } from '../../../protocols/streams/archive.ts'
import type { ManualClock } from '../../../src/base/clock.ts'
import { type FetchOptions, fetchCode } from '../../../src/code/fetch/fetch.ts'
import { createBufferPool } from '../../../src/code/store/buffer-pool.ts'
import type { ChunkReader } from '../../../src/code/types.ts'
import type { Behaviour } from '../../fixtures/code/stores.ts'
import { collect, MIB, noise, once, packFiles, testMesh, testStore, UNREACHABLE } from '../../fixtures/code/stores.ts'

export const SIZE = 8 * MIB + 512

export async function publish(content = noise(SIZE - 3 * 512)) {
  const tar = await collect(packFiles([{ path: 'content', content }]))
  const { store } = await testStore()
  const { code, size } = await store.addTar(once(tar))
  await using reader = (await store.open(code)) as ChunkReader
  return { store, code, size, tar, manifest: reader.encoded }
}

/** A provider that answers each request by a rule of its own. */
export function provider(
  answer: (request: ArchiveRequest, count: number) => ArchiveAnswer | Uint8Array | undefined | 'end' | 'reset',
): Behaviour {
  return async (stream) => {
    let count = 0
    for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
      const reply = answer(decodeArchiveRequest(bytes), count++)
      if (reply === 'end') return stream.end()
      if (reply === 'reset') return stream.abort(new Error('reset'))
      if (reply !== undefined) await stream.write(reply instanceof Uint8Array ? reply : encodeArchiveAnswer(reply))
    }
    await stream.end()
  }
}

/** Answers as an honest provider would, but for what `twist` makes of it. */
export function modifiedProvider(
  { tar, manifest }: { tar: Uint8Array; manifest: Uint8Array },
  modify: (request: ArchiveRequest, honest: ArchiveAnswer, count: number) => ReturnType<Parameters<typeof provider>[0]>,
): Behaviour {
  return provider((request, count) => {
    const chunk = (index: number) => tar.subarray(index * MIB, (index + 1) * MIB)
    const bytes = request.want === 'chunks' ? chunk(request.first) : manifest
    return modify(request, { is: 'bytes', bytes }, count)
  })
}

/** An honest provider that notes which chunks it was asked for. */
export function recordingProvider(there: Parameters<typeof modifiedProvider>[0]) {
  const asked: number[] = []
  const alice = modifiedProvider(there, (request, honest) => {
    asked.push(request.want === 'chunks' ? request.first : -1)
    return honest
  })
  return { asked, alice }
}

export async function startFetch(
  code: CID,
  peers: Parameters<typeof testMesh>[0],
  options: Partial<FetchOptions> & { dir?: string; maxBytes?: number; clock?: ManualClock } = {},
) {
  const here = await testStore({ ...(options.dir && { dir: options.dir }) })
  const invalid: string[] = []
  const streams = testMesh(peers)
  const clock = options.clock ?? here.clock
  const work = fetchCode(
    { ...here, clock, streams, buffers: createBufferPool(7), onInvalidData: (peer) => void invalid.push(peer) },
    code,
    { providers: () => Object.keys(peers), ...options },
  )
  work.catch(() => {})
  return { ...here, invalid, streams, work }
}

/** Names of peers that are in the DHT, and at no address. */
export const madeUp = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`made-up-${at}`, UNREACHABLE]))

/** Looks again and again while the clock goes on. */
export const advanceUntil = <T>(clock: ManualClock, ms: number, look: () => T | Promise<T>) =>
  expect.poll(() => clock.advance(ms).then(look), { timeout: 45_000, interval: 1 })

export async function promiseState(work: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  const over = work.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  )
  return Promise.race([over, new Promise<'pending'>((resolve) => setImmediate(resolve, 'pending'))])
}

export function bomb(bytes: number, windowLog = 20): Uint8Array {
  return zstdCompressSync(Buffer.alloc(bytes), { params: { [constants.ZSTD_c_windowLog]: windowLog } })
}
