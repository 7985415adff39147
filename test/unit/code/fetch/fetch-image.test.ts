import { describe, expect, test } from 'vitest'
import type { ArchiveAnswer, ArchiveRequest } from '../../../../protocols/streams/archive.ts'
import { manualClock } from '../../../../src/base/clock.ts'
import { HashMismatchError, NoProviderError, TooLargeError } from '../../../../src/code/errors.ts'
import { type FetchOptions, fetchCode } from '../../../../src/code/fetch/fetch.ts'
import { createBufferPool } from '../../../../src/code/store/buffer-pool.ts'
import { addImage, imageOf, type SyntheticImage } from '../../../fixtures/code/images.ts'
import { type Behaviour, MIB, testMesh, testStore } from '../../../fixtures/code/stores.ts'
import { advanceUntil, madeUp, provider } from '../fetch-fixtures.ts'

const SIZES = [200, 3 * MIB + 7, MIB, MIB, 5]

/** A peer that has all of an image, but for what `twist` makes of an answer. */
function holder(image: SyntheticImage, twist: Twist = (_request, honest) => honest): Behaviour {
  return provider((request, count) => {
    if (request.want === 'manifest') return twist(request, { is: 'bytes', bytes: image.manifest }, count)
    if (request.want !== 'blob') return 'reset'
    const blob = image.contents.get(Buffer.from(request.digest).toString('hex'))
    const bytes = blob?.subarray(request.offset, request.offset + request.length)
    return twist(request, bytes === undefined ? { is: 'error', message: 'no' } : { is: 'bytes', bytes }, count)
  })
}
type Answer = ReturnType<Parameters<typeof provider>[0]>
type Twist = (request: ArchiveRequest, honest: ArchiveAnswer, count: number) => Answer

async function fetching(
  image: SyntheticImage,
  peers: Parameters<typeof testMesh>[0],
  options: Partial<FetchOptions> & { dir?: string; clock?: ReturnType<typeof manualClock> } = {},
) {
  const here = await testStore(options.dir === undefined ? {} : { dir: options.dir })
  const invalid: string[] = []
  const components = { ...here, ...(options.clock && { clock: options.clock }), streams: testMesh(peers) }
  const onInvalidData = (peer: string) => void invalid.push(peer)
  const work = fetchCode({ ...components, buffers: createBufferPool(7), onInvalidData }, image.code, {
    providers: () => Object.keys(peers),
    ...options,
  })
  work.catch(() => {})
  return { ...here, invalid, work, opened: components.streams.opened }
}

const names = ({ seen }: { seen: [string, unknown][] }) => seen.map(([name]) => name)

describe('fetching an image', () => {
  test('from a node that has it, with progress; a store that has it asks nobody', async () => {
    const image = imageOf(1, SIZES)
    const there = await testStore()
    await addImage(there.store, image)
    const progress: number[] = []
    const here = await fetching(image, { alice: there.store }, { onProgress: ({ bytes }) => progress.push(bytes) })
    await here.work
    expect([here.store.has(image.code), progress.at(-1)]).toEqual([true, here.store.size(image.code)])
    expect(names(here)).toEqual(expect.arrayContaining(['code:fetch-started', 'code:added', 'code:fetch-finished']))
    expect(await Array.fromAsync(here.store.verify())).toMatchObject([{ state: 'ok' }])
    const again = await fetching(image, { alice: there.store }, { dir: here.dir })
    await again.work
    expect(again.opened).toEqual([])
  })

  test('each blob comes from one provider, and several bring different ones', async () => {
    const image = imageOf(1, SIZES)
    const asked = new Map<string, Set<string>>()
    const noting = (name: string) =>
      holder(image, (request, honest) => {
        if (request.want === 'blob') {
          const digest = Buffer.from(request.digest).toString('hex')
          asked.set(digest, (asked.get(digest) ?? new Set()).add(name))
        }
        return honest
      })
    const here = await fetching(image, { alice: noting('alice'), bob: noting('bob') })
    await here.work
    expect([...asked.values()].map(({ size }) => size)).toEqual(SIZES.map(() => 1))
    expect(new Set([...asked.values()].flatMap((by) => [...by]))).toEqual(new Set(['alice', 'bob']))
  })

  const wrongByte: Twist = (request, honest) =>
    request.want === 'blob' && honest.is === 'bytes'
      ? { is: 'bytes', bytes: honest.bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)) }
      : honest
  test.for<[string, Twist]>([
    ['sends a wrong byte', wrongByte],
    [
      'sends another manifest',
      (request, honest) => (request.want === 'manifest' ? { is: 'bytes', bytes: imageOf(2).manifest } : honest),
    ],
    [
      'sends a range of another length',
      (request, honest) => (request.want === 'blob' ? { is: 'bytes', bytes: new Uint8Array(3) } : honest),
    ],
    [
      'sends a longer range',
      (request, honest) => (request.want === 'blob' ? { is: 'bytes', bytes: new Uint8Array(MIB + 1) } : honest),
    ],
    [
      'sends a compressed range',
      (request, honest) =>
        request.want === 'blob' && honest.is === 'bytes' ? { is: 'zstd', bytes: honest.bytes } : honest,
    ],
    ['sends junk', () => new Uint8Array([0xff, 1, 2])],
  ])('a provider that %s is scored, and the rest takes over', async ([_what, twist]) => {
    const image = imageOf(1, SIZES)
    const alone = await fetching(image, { hostile: holder(image, twist) })
    await expect(alone.work).rejects.toBeInstanceOf(NoProviderError)
    expect([alone.store.has(image.code), alone.invalid]).toEqual([false, ['hostile']])
    const both = await fetching(image, { hostile: holder(image, twist), bob: holder(image) })
    await both.work
    expect([both.store.has(image.code), both.invalid]).toEqual([true, ['hostile']])
  })

  test('a provider that vanishes is not scored; whole blobs stay, and another brings the rest', async () => {
    const image = imageOf(1, SIZES)
    const vanishing = holder(image, (_request, honest, count) => (count > 5 ? 'reset' : honest))
    const first = await fetching(image, { alice: vanishing })
    await expect(first.work).rejects.toThrow(/no peer has the image/)
    expect(first.invalid).toEqual([])
    expect(first.store.list()).toMatchObject([{ complete: false }])
    const ranges: number[] = []
    const bob = holder(image, (request, honest) => {
      if (request.want === 'blob') ranges.push(request.length)
      return honest
    })
    const second = await fetching(image, { bob }, { dir: first.dir })
    await second.work
    expect(second.store.has(image.code)).toBe(true)
    expect(ranges.reduce((sum, length) => sum + length, 0)).toBeLessThan(second.store.size(image.code) as number)
  })

  test('peers that have a part of it each give it whole', async () => {
    const image = imageOf(1, SIZES)
    const digests = [...image.contents.keys()]
    const having = (parity: number): Behaviour =>
      holder(image, (request, honest) => {
        const index = request.want === 'blob' ? digests.indexOf(Buffer.from(request.digest).toString('hex')) : parity
        return index % 2 === parity ? honest : { is: 'error', message: 'this blob is not here' }
      })
    const here = await fetching(image, { even: having(0), odd: having(1) })
    await here.work
    expect([here.store.has(image.code), here.invalid]).toEqual([true, []])
  })

  test('a provider that drips loses its blob to one that has nothing to do', async () => {
    const image = imageOf(1, [200, 3 * MIB])
    const clock = manualClock()
    let asked = 0
    const silent = holder(image, (request, honest) => {
      if (request.want === 'blob' && request.length === MIB && ++asked > 1) return undefined
      return honest
    })
    const here = await fetching(image, { silent, bob: holder(image) }, { clock })
    await advanceUntil(clock, 1000, () => here.store.has(image.code)).toBe(true)
    expect(here.invalid).toEqual([])
  })

  test('made-up providers do not keep out the one that has it', async () => {
    const image = imageOf(1, SIZES)
    const clock = manualClock()
    const here = await fetching(image, { ...madeUp(60), bob: holder(image) }, { clock })
    await advanceUntil(clock, 50, () => here.store.has(image.code)).toBe(true)
    // a call that is not answered takes 10 s
    expect(clock.monotonic()).toBeLessThan(15_000)
  })

  test('nothing is kept of one that is too large or no image, and an aborted fetch ends', async () => {
    const image = imageOf(1, SIZES)
    const large = await fetching(image, { alice: holder(image) }, { maxBytes: MIB })
    await expect(large.work).rejects.toBeInstanceOf(TooLargeError)
    expect(large.store.list()).toEqual([])
    const signal = AbortSignal.abort(new Error('enough'))
    await expect((await fetching(image, { alice: holder(image) }, { signal })).work).rejects.toThrow('enough')
    const cut = new AbortController()
    const never = await fetching(image, { alice: holder(image, () => undefined) }, { signal: cut.signal })
    cut.abort(new HashMismatchError('the caller’s own reason'))
    await expect(never.work).rejects.toThrow('the caller’s own reason')
  })
})
