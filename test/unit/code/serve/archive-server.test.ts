import { describe, expect, test } from 'vitest'
import { MAX_CHUNKS_PER_REQUEST } from '../../../../protocols/limits.ts'
import { decodeArchiveAnswer, encodeArchiveRequest } from '../../../../protocols/streams/archive.ts'
import { manualClock } from '../../../../src/base/clock.ts'
import type { MessageStream } from '../../../../src/base/stream.ts'
import { createArchiveServer } from '../../../../src/code/serve/archive-server.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import { addImage, imageOf } from '../../../fixtures/code/images.ts'
import { MIB, noise, packFiles, testComponents, testStore } from '../../../fixtures/code/stores.ts'
import { streamPair } from '../../../fixtures/mesh/stream-pair.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { advanceUntil, promiseState } from '../fetch-fixtures.ts'

async function serving() {
  const { store } = await testStore()
  const { code } = await store.addTar(packFiles([{ path: 'a', content: noise(2 * MIB) }]))
  const clock = manualClock()
  const components = testComponents()
  const serve = createArchiveServer({ ...components, clock, store })
  const connect = (peer = 'client') => {
    const [mine, theirs] = streamPair(peer, 'server', { capacity: 1 })
    return { stream: mine, done: serve(theirs) }
  }
  return { code, store, clock, connect, seen: components.seen }
}

const read = async (stream: MessageStream) => decodeArchiveAnswer((await stream.read()) as Uint8Array)

describe('the archive server', () => {
  test('answers requests in order, a frame for each chunk, and what is not there with one error', async () => {
    const { code, connect, seen } = await serving()
    const { stream, done } = connect()
    const ask = (first: number, count: number) =>
      stream.write(encodeArchiveRequest({ v: 1, want: 'chunks', code, first, count, zstd: false }))
    const asking = ask(1, MAX_CHUNKS_PER_REQUEST)
      .then(() => ask(0, 1))
      .then(() => ask(7, 2))
    const missing = (chunk: number) => ({ is: 'error', message: `chunk ${chunk} is not here` })
    const chunk = (byteLength: number) => ({ is: 'bytes', bytes: { byteLength } })
    for (const answer of [chunk(MIB), chunk(1536), missing(3), chunk(MIB), missing(7)])
      expect(await read(stream)).toMatchObject(answer)
    await asking
    const other = (await (await testStore()).store.addTar(packFiles([{ path: 'b', content: '' }]))).code
    await stream.write(encodeArchiveRequest({ v: 1, want: 'manifest', code: other }))
    expect(await read(stream)).toEqual({ is: 'error', message: 'this code is not here' })
    await stream.end()
    expect(await stream.read()).toBeUndefined()
    await done
    expect(seen).toEqual([['code:served', { peer: 'client', chunks: 3, bytes: 2 * MIB + 1536 }]])
  })

  test('code does not stay because peers ask for it: what this node used later outlives it', async () => {
    const clock = manualClock()
    const store = await createCodeStore({ ...testComponents(), clock }, { dir: await tempDir(), maxBytes: 3 * MIB })
    const archive = (seed: number) => store.addTar(packFiles([{ path: 'a', content: noise(MIB / 2, seed) }]))
    const image = imageOf(1, [200, MIB / 2])
    await addImage(store, image)
    const { code } = await archive(1)
    await clock.advance(3_600_000)
    const own = await archive(2)
    await clock.advance(3_600_000)
    for (const [seed, wanted] of [code, image.code].entries()) {
      const [mine, theirs] = streamPair('stranger', 'server')
      const done = createArchiveServer({ ...testComponents(), clock, store })(theirs)
      await mine.write(encodeArchiveRequest({ v: 1, want: 'manifest', code: wanted }))
      expect(await read(mine)).toMatchObject({ is: 'bytes' })
      await mine.end()
      await done
      for (let more = 0; store.has(wanted); more++) await archive(10 * (seed + 1) + more)
      expect(store.has(own.code)).toBe(true)
    }
  })

  test('waits for a slow reader without reading ahead, and lets go of one that stopped', async () => {
    const { code, connect, clock } = await serving()
    const { stream, done } = connect()
    await stream.write(encodeArchiveRequest({ v: 1, want: 'chunks', code, first: 0, count: 3, zstd: false }))
    await advanceUntil(clock, 5_000, () => promiseState(done)).toBe('resolved')
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000)
    await expect(stream.read()).rejects.toThrow('takes too long to read')
  })

  test('lets go of a client that asks for nothing, or for nonsense', async () => {
    const { connect, clock } = await serving()
    const idle = connect()
    await clock.advance(61_000)
    await idle.done
    for (const nonsense of [Buffer.alloc(0), Buffer.from('hello'), noise(70_000), Buffer.from('a0', 'hex')]) {
      const { stream, done } = connect()
      await stream.write(nonsense)
      await done
      await expect(stream.read()).rejects.toThrow('reset')
    }
  })

  test('a peer with too many streams gets an error, and others are served', async () => {
    const { code, connect } = await serving()
    const request = encodeArchiveRequest({ v: 1, want: 'manifest', code })
    const ask = async ({ stream }: ReturnType<typeof connect>) => {
      await stream.write(request)
      return (await read(stream)).is
    }
    const open = Array.from({ length: 5 }, () => connect('greedy'))
    expect(await Promise.all(open.map(ask))).toEqual(['bytes', 'bytes', 'bytes', 'bytes', 'error'])
    const modest = connect('modest')
    expect(await ask(modest)).toBe('bytes')
    const close = async ({ stream, done }: typeof modest) => {
      await stream.end()
      await done
    }
    for (const index of [0, 4]) await close(open[index] as typeof modest)
    const another = connect('greedy')
    expect(await ask(another)).toBe('bytes')
    for (const one of [...open, another, modest]) await close(one)
  })

  test('made-up peers that hold every stream make room for one that fetches, and streams that carry chunks stay', async () => {
    const { code, connect, clock } = await serving()
    type Client = ReturnType<typeof connect>
    const manifest = encodeArchiveRequest({ v: 1, want: 'manifest', code })
    const chunk = encodeArchiveRequest({ v: 1, want: 'chunks', code, first: 0, count: 1, zstd: false })
    const ask = async ({ stream }: Client, request: Uint8Array) => {
      await stream.write(request)
      return (await read(stream)).is
    }
    const fetching = connect('fetching')
    expect(await ask(fetching, chunk)).toBe('bytes')
    const sybils = Array.from({ length: 31 }, (_, at) => connect(`sybil-${at % 8}`))
    for (const sybil of sybils) expect(await ask(sybil, manifest)).toBe('bytes')
    expect(await ask(connect('early'), manifest)).toBe('error')
    await clock.advance(9_000)
    expect(await ask(fetching, chunk)).toBe('bytes')
    for (const sybil of sybils) expect(await ask(sybil, manifest)).toBe('bytes')
    await clock.advance(2_000)
    const modest = connect('modest')
    expect(await ask(modest, chunk)).toBe('bytes')
    expect(await ask(fetching, chunk)).toBe('bytes')
    const [first, second] = sybils as [Client, Client]
    await first.done
    await expect(first.stream.read()).rejects.toThrow('another peer wants its slot')
    expect(await ask(second, manifest)).toBe('bytes')
    for (const { stream } of [fetching, modest, ...sybils.slice(1)]) await stream.end()
  })
})
