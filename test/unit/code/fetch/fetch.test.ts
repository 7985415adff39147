import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ArchiveAnswer } from '../../../../protocols/streams/archive.ts'
import { manualClock } from '../../../../src/base/clock.ts'
import { NoProviderError, StoreFullError, TooLargeError } from '../../../../src/code/errors.ts'
import { fetchCode } from '../../../../src/code/fetch/fetch.ts'
import { createArchiveServer } from '../../../../src/code/serve/archive-server.ts'
import { createBufferPool } from '../../../../src/code/store/buffer-pool.ts'
import {
  type Behaviour,
  MIB,
  noise,
  packFiles,
  testComponents,
  testMesh,
  testStore,
} from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import {
  advanceUntil,
  bomb,
  modifiedProvider,
  promiseState,
  provider,
  publish,
  recordingProvider,
  SIZE,
  startFetch,
} from '../fetch-fixtures.ts'

describe('fetching a code', () => {
  test('from one peer, whole and verified', async () => {
    const there = await publish()
    const progress: number[] = []
    const onProgress = ({ bytes }: { bytes: number }) => void progress.push(bytes)
    const here = await startFetch(there.code, { alice: there.store }, { onProgress })
    await here.work
    expect(here.store.has(there.code)).toBe(true)
    expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(progress.at(-1)).toBe(there.size)
    expect(here.invalid).toEqual([])
    const names = here.seen.map(([name]) => name)
    expect(names.at(0)).toBe('code:fetch-started')
    expect(names.slice(-3)).toEqual(['code:fetch-progress', 'code:added', 'code:fetch-finished'])
  })

  test('over a slow way, compressible content travels compressed, and arrives as it was', async () => {
    const there = await publish(Buffer.alloc(SIZE - 3 * 512, 'the same again '))
    // of eight chunks, those that were under way before the way was known to be slow travel plain: at most a request's three
    for (const [msPerFrame, least, most] of [
      [1000, MIB, 3.5 * MIB],
      [1, 8 * MIB, 8.5 * MIB],
    ] as const) {
      let carried = 0
      const clock = manualClock()
      const serve = createArchiveServer({ ...(await testStore()), clock, store: there.store })
      const slow: Behaviour = (stream) => {
        const write: typeof stream.write = async (message, options) => {
          carried += message.byteLength
          await clock.advance(msPerFrame)
          return stream.write(message, options)
        }
        return serve({ ...stream, write, [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose]() })
      }
      const here = await startFetch(there.code, { alice: slow })
      await here.work
      expect(carried).toBeGreaterThan(least)
      expect(carried).toBeLessThan(most)
      expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
    }
  })

  test('several peers share the work, and one that dies midway is made up for', async () => {
    const there = await publish()
    const served = new Map<string, number>()
    const count = (peer: string, honest: ArchiveAnswer) => {
      served.set(peer, (served.get(peer) ?? 0) + 1)
      return honest
    }
    const here = await startFetch(there.code, {
      alice: modifiedProvider(there, (_, honest) => count('alice', honest)),
      bob: modifiedProvider(there, (_, honest, at) => (at === 3 ? 'reset' : count('bob', honest))),
      carol: modifiedProvider(there, (_, honest, at) => (at === 2 ? 'end' : count('carol', honest))),
    })
    await here.work
    expect([...served.keys()].sort()).toEqual(['alice', 'bob', 'carol'])
    expect(here.invalid).toEqual([])
    expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
  })

  test('the message of a provider is shown without its control characters', async () => {
    const there = await publish()
    const mallory = provider(() => ({ is: 'error', message: 'no\u001b[31m\nway' }))
    const here = await startFetch(there.code, { mallory })
    const said = `no peer has the code ${there.code} (mallory: it says: no\ufffd[31m\ufffdway)`
    await expect(here.work).rejects.toThrow(said)
    expect(here.invalid).toEqual([])
  })

  test('a provider without some chunks gives what it has', async () => {
    const there = await publish()
    const half = (parity: number) =>
      modifiedProvider(there, (request, honest) =>
        request.want === 'chunks' && request.first % 2 === parity ? { is: 'error', message: 'not here' } : honest,
      )
    const here = await startFetch(there.code, { even: half(1), odd: half(0) })
    await here.work
    expect(here.store.has(there.code)).toBe(true)
  })

  test('silence ends after a time, and the next try goes on where it stopped', async () => {
    // eight whole chunks
    const there = await publish(noise(8 * MIB - 3 * 512))
    const clock = manualClock()
    const dir = await tempDir()
    const silent = modifiedProvider(there, (_, honest, at) => (at < 4 ? honest : undefined))
    const first = await startFetch(there.code, { silent }, { clock, dir })
    await expect.poll(() => first.store.usage().bytes).toBeGreaterThanOrEqual(3 * MIB)
    await advanceUntil(clock, 1000, () => promiseState(first.work)).toBe('rejected')
    expect(first.store.list()).toHaveLength(1)
    await expect(first.work).rejects.toBeInstanceOf(NoProviderError)
    await expect(first.work).rejects.toThrow('the provider does not answer')

    const { asked, alice } = recordingProvider(there)
    const second = await startFetch(there.code, { alice }, { dir })
    await second.work
    // the manifest was there already, and three chunks
    expect(asked).toHaveLength(5)
    expect(asked).not.toContain(-1)
    expect(second.store.has(there.code)).toBe(true)
  })

  test('providers that turn up while it runs join in', async () => {
    const there = await publish()
    const late = Promise.withResolvers<void>()
    const stuck = modifiedProvider(there, (_, honest, at) => {
      if (at < 3) return honest
      late.resolve()
      return undefined
    })
    const clock = manualClock()
    async function* providers() {
      yield 'stuck'
      await late.promise
      yield 'alice'
      await new Promise(() => {})
    }
    const here = await startFetch(there.code, { stuck, alice: there.store }, { providers, clock })
    // what the first one owes is asked of the second when it has been owed for long
    await advanceUntil(clock, 500, () => promiseState(here.work)).toBe('resolved')
    expect(clock.monotonic()).toBeLessThan(30_000)
  })

  test('too large, no space, aborted: says so at once, and leaves the store as it was', async () => {
    const there = await publish()
    const peers = { alice: there.store }
    const large = await startFetch(there.code, peers, { maxBytes: SIZE - 1 })
    await expect(large.work).rejects.toBeInstanceOf(TooLargeError)
    expect(large.store.usage().bytes).toBe(0)
    const full = await testStore({ maxBytes: SIZE + MIB })
    full.store.pin((await full.store.addTar(packFiles([{ path: 'a', content: noise(MIB) }]))).code)
    const filling = fetchCode({ ...full, buffers: createBufferPool(7), streams: testMesh(peers) }, there.code, {
      providers: () => ['alice'],
    })
    await expect(filling).rejects.toBeInstanceOf(StoreFullError)
    expect(full.store.list()).toHaveLength(1)
    const controller = new AbortController()
    const stopped = await startFetch(there.code, { silent: provider(() => undefined) }, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(stopped.work).rejects.toThrow('enough')
    await expect((await startFetch(there.code, {})).work).rejects.toThrow('no peer was found that has the code')
  })

  test('a process that is killed while it fetches goes on where it was, and asks for nothing twice', async () => {
    const there = await publish(noise(24 * MIB))
    const dir = await tempDir()
    const tar = join(await tempDir(), 'tar')
    await writeFile(tar, there.tar)
    const entry = new URL('../fetch-child.ts', import.meta.url)
    const child = fork(entry, [dir, tar, there.code.toString(), Buffer.from(there.manifest).toString('base64')], {
      execArgv: ['--conditions=thundercloud-source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const left = once(child, 'exit')
    let landed = 0
    for await (const [bytes] of on(child, 'message')) {
      landed = bytes as number
      if (landed >= 9 * MIB) break
    }
    child.kill('SIGKILL')
    await left
    const { asked, alice } = recordingProvider(there)
    const again = await startFetch(there.code, { alice }, { dir })
    await again.work
    expect(asked.length).toBeLessThanOrEqual(25 - landed / MIB)
    expect(asked.length).toBeGreaterThan(0)
    expect(Buffer.compare(await readFile(again.store.paths(there.code).tar), there.tar)).toBe(0)
  })
})

type Answer = ReturnType<Parameters<typeof provider>[0]>
const MANIFESTS: Record<string, Answer> = {
  'another manifest': { is: 'bytes', bytes: Buffer.from('a0', 'hex') },
  'a manifest that is compressed': { is: 'zstd', bytes: Buffer.alloc(9) },
  'an endless manifest': { is: 'bytes', bytes: Buffer.alloc(500_000) },
}
const CHUNKS: Record<string, (honest: Uint8Array, first: number) => Answer> = {
  'a changed byte': (honest) => ({ is: 'bytes', bytes: Buffer.from(honest).fill(1, 77, 79) }),
  'another chunk': (_, first) => ({ is: 'bytes', bytes: noise(MIB, first + 99) }),
  'a short chunk': (honest) => ({ is: 'bytes', bytes: honest.subarray(1) }),
  'an empty chunk': () => ({ is: 'bytes', bytes: Buffer.alloc(0) }),
  'no frame': () => Buffer.from('hello'),
  'an empty frame': () => Buffer.alloc(0),
  'a frame that is too long': () => Buffer.alloc(3 * MIB),
  'broken zstd': () => ({ is: 'zstd', bytes: noise(1000) }),
  'a zstd bomb': () => ({ is: 'zstd', bytes: bomb(64 * MIB) }),
  'zstd that is too short': () => ({ is: 'zstd', bytes: bomb(1000) }),
  'zstd with a huge window': () => ({ is: 'zstd', bytes: bomb(MIB, 27) }),
}

const LIES = [...Object.keys(MANIFESTS), ...Object.keys(CHUNKS)]
test.each(LIES)('a provider of %s is dropped and named, and another brings the code', async (lie) => {
  const there = await publish()
  const reported = Promise.withResolvers<void>()
  const answer = ({ first }: { first: number }, honest: ArchiveAnswer) =>
    CHUNKS[lie]?.((honest as { bytes: Uint8Array }).bytes, first) ?? honest
  const mallory = modifiedProvider(there, (request, honest) =>
    request.want === 'chunks' ? answer(request, honest) : (MANIFESTS[lie] ?? honest),
  )
  const alice: Behaviour = async (stream) => {
    await reported.promise
    await createArchiveServer({ ...testComponents(), store: there.store })(stream)
  }
  // no time passes: however busy the machine is, the one that waits is not silent for too long
  const here = await startFetch(there.code, { mallory, alice }, { clock: manualClock() })
  await expect.poll(() => here.invalid).toEqual(['mallory'])
  reported.resolve()
  await here.work
  expect(here.streams.opened.filter((peer) => peer === 'mallory')).toEqual(['mallory'])
  expect(here.seen).toContainEqual(['code:provider-invalid', expect.objectContaining({ peer: 'mallory' })])
  expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
})
