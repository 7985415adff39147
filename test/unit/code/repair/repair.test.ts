import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import type { Disk } from '../../../../src/base/os/disk.ts'
import { systemDisk } from '../../../../src/base/os/disk.ts'
import { seededRng } from '../../../../src/base/rng.ts'
import { MAX_STORED_ENTRIES, REPAIR_BACKOFF } from '../../../../src/code/constants.ts'
import { createCodeRepair } from '../../../../src/code/repair.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import type { RetrieveOptions } from '../../../../src/code/types.ts'
import { addImage, imageOf } from '../../../fixtures/code/images.ts'
import { MIB, noise, once, testComponents, testStore } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { advanceUntil, modifiedProvider, publish } from '../fetch-fixtures.ts'
import { flip } from '../store/store-support.ts'
import { checked, repairable, repairing } from './repair-fixtures.ts'

const DAY_MS = 24 * 3_600_000
const DAMAGED = ['damaged', 'chunk 0 is damaged on this disk']
const OK = ['ok', undefined]

describe('damaged code that is in use', () => {
  test('counts as not here, and is fetched again; runs keep their files', async () => {
    const there = await publish()
    const here = await repairing({ alice: there.store })
    using run = await here.code.obtain(there.code)
    const { tar } = here.code.store.paths(there.code)
    const before = await stat(join(run.dir, 'content'))
    await flip(tar, 5)
    expect(await checked(here.code.store)).toEqual([DAMAGED])
    expect(here.code.store.has(there.code)).toBe(false)
    expect(here.repair.of(there.code.toString())).toBeDefined()
    await expect.poll(() => here.code.store.has(there.code)).toBe(true)

    expect(here.repair.of(there.code.toString())).toBeUndefined()
    expect(await checked(here.code.store)).toEqual([OK])
    expect(Buffer.compare(await readFile(tar), there.tar)).toBe(0)
    expect((await stat(join(run.dir, 'content'))).ino).toBe(before.ino)
    expect(here.code.store.usage()).toMatchObject({ bytes: 2 * there.size, files: 6, codes: 1 })
    expect(here.code.store.provenance(there.code)).toMatchObject({ from: 'mesh' })
    expect(here.code.store.list()).toMatchObject([{ complete: true, pinned: true, unpacked: true }])
    expect(await readdir(join(here.dir, 'partial'))).toEqual([])
  })

  test('is looked for again and again, later each time, until a peer has it', async () => {
    const there = await publish()
    const clock = manualClock()
    const here = await repairing({ alice: there.store }, { clock })
    using _run = await here.code.obtain(there.code)
    await flip(here.code.store.paths(there.code).tar, 5)
    here.offline = true
    await checked(here.code.store)
    const view = () => here.repair.of(there.code.toString())
    const waits: number[] = []
    for (let at: number | undefined; waits.length < 4; ) {
      const last = at
      await expect.poll(() => view()?.nextAt).not.toBe(last)
      await expect.poll(() => view()).toMatchObject({ state: 'waiting', nextAt: expect.any(Number) })
      expect(view()?.problem).toMatch(/no peer/)
      at = view()?.nextAt as number
      waits.push(at - clock.now())
      await clock.advance(at - clock.now())
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    here.offline = false
    await advanceUntil(clock, 1000, () => here.code.store.has(there.code)).toBe(true)
    expect(await checked(here.code.store)).toEqual([OK])
  })

  test('is fetched again also where it was found before anyone fetched', async () => {
    const there = await publish()
    const here = await repairable({ alice: there.store })
    using _run = await here.code.obtain(there.code)
    await flip(here.code.store.paths(there.code).tar, 5)
    expect(await checked(here.code.store)).toEqual([DAMAGED])
    using _repair = here.beginRepair()
    await expect.poll(() => here.code.store.has(there.code)).toBe(true)
  })

  test('comes from a source that may hold more than the code, as much as for a run', async () => {
    const there = await publish(noise(2 * MIB))
    const here = await repairable({})
    await here.code.addTar(once(there.tar))
    const { store } = here.code
    using _pin = store.pin(there.code)
    await flip(store.paths(there.code).tar, 5)
    await checked(store)
    const asked: RetrieveOptions[] = []
    const code = { store, fetch: async (_: unknown, options: RetrieveOptions = {}) => void asked.push(options) }
    const clock = manualClock()
    const more = { maxBytes: 64 * MIB, maxEntries: 1000 }
    const wanted = [{ limits: more }, { limits: { ...more, maxBytes: MIB } }, {}]
    const init = { findSources: async () => wanted[asked.length] ?? {}, closing: here.closing.signal }
    using _repair = createCodeRepair({ ...testComponents(), rng: seededRng('repair'), clock, code }, init)
    await advanceUntil(clock, 10_000, () => asked.length >= 3).toBe(true)
    const limits = [more, { ...more, maxBytes: there.size }, { maxBytes: there.size, maxEntries: MAX_STORED_ENTRIES }]
    expect(asked.slice(0, 3).map((options) => options.limits)).toEqual(limits)
    here.closing.abort(new Error('the test is over'))
  })

  test('a provider that lies, or fails at the last chunk, is not asked without end', async () => {
    const there = await publish()
    const clock = manualClock()
    let asked = 0
    const liar = modifiedProvider(there, (request, honest) => {
      asked++
      return request.want === 'chunks' && request.first > 6 ? { is: 'bytes', bytes: new Uint8Array(MIB) } : honest
    })
    const here = await repairing({ liar }, { clock })
    await here.code.addTar(once(there.tar))
    using _pin = here.code.store.pin(there.code)
    await flip(here.code.store.paths(there.code).tar, 5)
    await checked(here.code.store)
    const view = () => here.repair.of(there.code.toString())
    for (const startedAt = clock.now(); clock.now() < startedAt + DAY_MS; ) {
      await advanceUntil(clock, 100, () => (view()?.nextAt ?? 0) > clock.now()).toBe(true)
      await clock.advance((view()?.nextAt ?? 0) - clock.now())
    }
    // 10 s doubles to an hour in ten steps; then once an hour, or twice
    expect(here.opened.length).toBeGreaterThan(10)
    expect(here.opened.length).toBeLessThan(10 + 2 * 24)
    // what was right of it came once
    expect(asked).toBeLessThan(8 + 8 * here.opened.length)
    expect(await checked(here.code.store)).toEqual([DAMAGED])
  })

  test('a disk that loses it each time is written to more and more seldom', async () => {
    const there = await publish()
    const clock = manualClock()
    const here = await repairing({ alice: there.store }, { clock })
    await here.code.fetch(there.code)
    using _pin = here.code.store.pin(there.code)
    let fetched = 0
    for (const startedAt = clock.now(); clock.now() < startedAt + DAY_MS; fetched++) {
      await flip(here.code.store.paths(there.code).tar, 5)
      expect(await checked(here.code.store)).toEqual([DAMAGED])
      await clock.advance((here.repair.of(there.code.toString())?.nextAt ?? clock.now()) - clock.now())
      await advanceUntil(clock, 100, () => here.code.store.has(there.code)).toBe(true)
    }
    expect(fetched).toBeGreaterThan(10)
    expect(fetched).toBeLessThan(12 + 2 * 24)
  })

  test('is removed, and not fetched, where it is no longer in use', async () => {
    const there = await publish()
    const clock = manualClock()
    const here = await repairing({ alice: there.store }, { clock })
    const run = await here.code.obtain(there.code)
    await flip(here.code.store.paths(there.code).tar, 5)
    here.offline = true
    await checked(here.code.store)
    await expect.poll(() => here.repair.of(there.code.toString())?.nextAt).toBeDefined()
    run.release()
    here.offline = false
    await clock.advance(REPAIR_BACKOFF.firstMs)
    const removed = ['code:removed', { code: there.code.toString(), why: 'damaged' }]
    await expect.poll(() => here.seen).toContainEqual(removed)
    expect(here.code.store.list()).toEqual([])
  })

  test('peers that read what is damaged do not begin it twice', async () => {
    const there = await publish()
    const here = await repairing({}, { clock: manualClock() })
    await here.code.addTar(once(there.tar))
    const { store } = here.code
    using _pin = store.pin(there.code)
    await flip(store.paths(there.code).tar, 5)
    await checked(store)
    for (const _ of [1, 2, 3]) {
      await using reader = await store.open(there.code)
      await expect(reader?.read(0, new Uint8Array(MIB))).rejects.toThrow('chunk 0 is damaged')
      expect(await reader?.read(1, new Uint8Array(MIB))).toBe(true)
    }
    expect(here.seen.filter(([name]) => name === 'code:damaged')).toHaveLength(1)
  })

  test('a node that is killed at any step has the old archive or the new one, and never a wrong byte', async () => {
    const there = await publish(noise(2 * MIB))
    let steps = 0
    for (let last = 1; ; last++) {
      const dir = await tempDir()
      const before = await repairing({ alice: there.store }, { dir })
      using run = await before.code.obtain(there.code)
      await flip(before.code.store.paths(there.code).tar, 5)
      steps = 0
      const store = await createCodeStore(
        { ...testComponents(), disk: dyingDisk(() => ++steps > last) },
        { dir, maxBytes: 256 * MIB },
      ).catch(() => undefined)
      if (store !== undefined) {
        using _pin = store.pin(there.code)
        await checked(store).catch(() => {})
        await store.addTar(once(there.tar), { from: 'mesh' }).catch(() => {})
      }
      const after = await createCodeStore(testComponents(), { dir, maxBytes: 256 * MIB })
      expect(Buffer.compare(await readFile(join(run.dir, 'content')), there.tar.subarray(512, -1024))).toBe(0)
      // also what is damaged is here with its size, until its bytes are read
      expect(await checked(after)).toEqual([steps > last ? expect.anything() : OK])
      for (const [state] of await checked(after)) expect(state).toBe('ok')
      if (steps <= last) break
    }
    expect(steps).toBeGreaterThan(12)
  })

  test('of an image, only what is damaged is fetched again', async () => {
    const image = imageOf(1)
    const other = await testStore()
    await addImage(other.store, image)
    const here = await repairing({ alice: other.store })
    await here.code.fetch(image.code)
    using _pin = here.code.store.pin(image.code)
    const { bytes, files } = here.code.store.usage()
    const [, layer = ''] = image.contents.keys()
    const path = join(here.code.store.images.folder(image.code), 'blobs', layer)
    const kept = await stat(join(path, '..', [...image.contents.keys()][2] as string))
    await flip(path, 5)
    const why = `its blob ${layer.slice(0, 12)} is damaged on this disk`
    expect(await checked(here.code.store)).toEqual([['damaged', why]])
    expect(here.code.store.has(image.code)).toBe(false)
    await expect.poll(() => here.code.store.has(image.code)).toBe(true)
    expect(await checked(here.code.store)).toEqual([OK])
    expect(here.code.store.usage()).toMatchObject({ bytes, files })
    expect((await stat(join(path, '..', [...image.contents.keys()][2] as string))).ino).toBe(kept.ino)
  })
})

/** Every change fails from some step on, as if the process had been killed there. */
function dyingDisk(isDead: () => boolean): Disk {
  const disk = systemDisk()
  const dying =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isDead()) throw new Error('killed')
      return work(...args)
    }
  const { writeFile, mkdir, mkdtemp, rename, rm, utimes, open } = disk
  return {
    ...disk,
    ...{ writeFile: dying(writeFile), mkdir: dying(mkdir), mkdtemp: dying(mkdtemp), rename: dying(rename) },
    ...{ rm: dying(rm), utimes: dying(utimes), open: dying(open) },
  }
}
