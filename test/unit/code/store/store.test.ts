import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CID } from '../../../../protocols/encoding.ts'
import { decodeManifest } from '../../../../protocols/streams/archive.ts'
import { manualClock } from '../../../../src/base/clock.ts'
import * as errors from '../../../../src/code/errors.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import type { ChunkReader } from '../../../../src/code/types.ts'
import { collect, MIB, noise, once, testComponents, testStore } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { advanceUntil } from '../fetch-fixtures.ts'
import { archive, chunkOf, flip, leftovers, manifestOf } from './store-support.ts'

describe('the code store', () => {
  test('gives back what was added, also after a restart', async () => {
    const { store, dir, seen } = await testStore()
    const { code, size } = await store.addTar(archive(1, 3 * MIB + 512))
    expect(size).toBe(3 * MIB + 512)
    expect(await store.addTar(archive(1, 3 * MIB + 512))).toEqual({ code, size })
    const added = ['code:added', { code: code.toString(), size, from: 'local' }]
    expect(seen.filter(([name]) => name === 'code:added')).toEqual([added])
    const again = await createCodeStore(testComponents(), { dir, maxBytes: 64 * MIB })
    for (const each of [store, again]) {
      expect(each.has(code)).toBe(true)
      expect(each.usage()).toMatchObject({ bytes: size, maxBytes: expect.any(Number), codes: 1 })
      await using reader = await each.open(code)
      expect(decodeManifest((reader as ChunkReader).encoded).chunks).toHaveLength(4)
      const chunks = await Promise.all([0, 1, 2, 3].map((index) => chunkOf(reader, index)))
      const all = Buffer.concat(chunks as Uint8Array[])
      expect(Buffer.compare(all, await collect(archive(1, 3 * MIB + 512)))).toBe(0)
      expect(await (reader as ChunkReader).read(4, new Uint8Array(1))).toBe(false)
    }
  })

  test('an archive that fails half-way leaves nothing', async () => {
    const { store, dir } = await testStore({ maxBytes: 4 * MIB })
    async function* broken() {
      yield (await collect(archive(1, 3 * MIB))).subarray(0, 2 * MIB)
      throw new Error('the source broke')
    }
    await expect(store.addTar(broken())).rejects.toThrow('the source broke')
    await expect(store.addTar(once(Buffer.alloc(2 * MIB, 'x')))).rejects.toBeInstanceOf(errors.BadArchiveError)
    await expect(store.addTar(archive(1, 5 * MIB))).rejects.toBeInstanceOf(errors.StoreFullError)
    await expect(store.addTar(archive(1), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(store.usage()).toMatchObject({ bytes: 0, maxBytes: 4 * MIB, codes: 0 })
    expect(await leftovers(dir)).toEqual([])
  })

  test('the same archive added many times at once is one', async () => {
    const { store, dir } = await testStore()
    const added = await Promise.all(Array.from({ length: 8 }, () => store.addTar(archive(7))))
    expect(new Set(added.map(({ code }) => code.toString())).size).toBe(1)
    expect(store.usage()).toMatchObject({ bytes: MIB, codes: 1 })
    expect(await readdir(join(dir, 'temp'))).toEqual([])
  })

  test('what was used longest ago goes first, and what is pinned stays', async () => {
    const clock = manualClock()
    const components = { ...testComponents(), clock }
    const init = { dir: await tempDir(), maxBytes: 3 * MIB }
    let store = await createCodeStore(components, init)
    const codes: CID[] = []
    const add = async (seed: number) => {
      await clock.advance(3_600_000)
      codes[seed] = (await store.addTar(archive(seed + 10))).code
    }
    const here = () => codes.flatMap((code, seed) => (store.has(code) ? [seed] : []))
    for (const seed of [0, 1, 2]) await add(seed)
    await clock.advance(3_600_000)
    store.pin(codes[0] as CID)[Symbol.dispose]()
    await add(3)
    expect(here()).toEqual([0, 2, 3])
    expect(components.seen).toContainEqual(['code:removed', { code: String(codes[1]), why: 'evicted' }])

    // the order survives a restart
    await new Promise((resolve) => setImmediate(resolve))
    store = await createCodeStore(components, init)
    const pin = store.pin(codes[2] as CID)
    await add(4)
    expect(here()).toEqual([2, 3, 4])
    const pins = [3, 4].map((seed) => store.pin(codes[seed] as CID))
    await expect(add(5)).rejects.toThrow('the code store may use 3 MiB and 3 MiB are in use; 1 MiB more do not fit')
    await expect(store.remove(codes[2] as CID)).rejects.toBeInstanceOf(errors.InUseError)
    pin[Symbol.dispose]()
    pin[Symbol.dispose]()
    await add(5)
    expect(here()).toEqual([3, 4, 5])
    for (const each of pins) each[Symbol.dispose]()
    await store.remove(codes[4] as CID)
    expect(here()).toEqual([3, 5])
    expect((await readdir(join(init.dir, 'codes'))).sort()).toEqual([codes[3], codes[5]].map(String).sort())
  })

  test('nothing is evicted for what would not fit anyway', async () => {
    const { store } = await testStore({ maxBytes: 3 * MIB })
    const { code } = await store.addTar(archive(1))
    const kept = await store.addTar(archive(2))
    const pin = store.pin(kept.code)
    const large = await manifestOf(archive(3, 3 * MIB))
    await expect(store.begin(large.code, large.encoded)).rejects.toBeInstanceOf(errors.StoreFullError)
    expect(store.has(code)).toBe(true)
    pin[Symbol.dispose]()
  })

  test('bytes that the disk has lost are found when they are read, and the code goes', async () => {
    const { store: before, dir } = await testStore()
    const { code } = await before.addTar(archive(1, 2 * MIB))
    await flip(before.paths(code).tar, MIB + 5)
    const { store, seen } = await testStore({ dir })
    await using reader = await store.open(code)
    expect(await chunkOf(reader, 0)).toBeDefined()
    await expect(chunkOf(reader, 1)).rejects.toBeInstanceOf(errors.HashMismatchError)
    expect(store.has(code)).toBe(false)
    expect(seen).toContainEqual(['code:removed', { code: code.toString(), why: 'damaged' }])
    expect(await leftovers(dir)).toEqual([])
  })

  test('a check reads every archive again, and removes what is damaged unless it is in use', async () => {
    const { store, dir, seen } = await testStore()
    const broken: Record<string, (folder: string) => Promise<unknown>> = {
      'chunk 1 is damaged on this disk': (folder) => flip(join(folder, 'tar'), MIB + 5),
      '2 chunks, the first of them 0, are damaged on this disk': async (folder) => {
        for (const at of [5, MIB + 5]) await flip(join(folder, 'tar'), at)
      },
      'its manifest is damaged on this disk': (folder) => flip(join(folder, 'manifest'), 9),
      'a file of it is missing': (folder) => rm(join(folder, 'tar')),
      [`it has ${2 * MIB + 7} bytes instead of ${2 * MIB}`]: (folder) => appendFile(join(folder, 'tar'), 'trailer'),
    }
    const codes: CID[] = []
    const add = async () => codes.push((await store.addTar(archive(codes.length + 20, 2 * MIB))).code)
    for (const damage of Object.values(broken)) {
      await add()
      await damage(join(dir, 'codes', String(codes.at(-1))))
    }
    await add()
    await add()
    const inUse = codes.at(-1) as CID
    await flip(store.paths(inUse).tar, 3)
    using _pin = store.pin(inUse)

    const check = async () => {
      const found = new Map<string, unknown>()
      for await (const { code, ...rest } of store.verify()) found.set(code.toString(), rest)
      return codes.map((code) => found.get(code.toString()))
    }
    const ok = { bytes: 2 * MIB, state: 'ok' }
    const damaged = { bytes: 2 * MIB, state: 'damaged', why: 'chunk 0 is damaged on this disk' }
    const removed = Object.keys(broken).map((why) => ({ bytes: 2 * MIB, state: 'removed', why }))
    expect(await check()).toEqual([...removed, ok, damaged])
    expect(store.usage()).toMatchObject({ bytes: 4 * MIB, codes: 2 })
    expect(await readdir(join(dir, 'codes'))).toHaveLength(2)
    expect(seen.filter(([name]) => name === 'code:removed')).toHaveLength(removed.length)
    // what is damaged and stays is served to no one
    await using reader = await store.open(inUse)
    await expect(chunkOf(reader, 0)).rejects.toBeInstanceOf(errors.HashMismatchError)
    expect(await check()).toEqual([...removed.map(() => undefined), ok, damaged])
    await expect(Array.fromAsync(store.verify({ signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow(
      'enough',
    )
  })

  test('what a crash left behind is cleared away at the next start', async () => {
    const { store: before, dir } = await testStore()
    const good = await before.addTar(archive(1))
    const [short, renamed] = [await before.addTar(archive(2)), await before.addTar(archive(3))]
    await truncate(before.paths(short.code).tar, 1000)
    await writeFile(join(dir, 'codes', renamed.code.toString(), 'manifest'), 'other bytes')
    await mkdir(join(dir, 'codes', 'no-code'))
    await mkdir(join(dir, 'partial', 'no-code'))
    await mkdir(join(dir, 'temp', 'in-123', 'deep'), { recursive: true })
    const { store } = await testStore({ dir })
    expect(store.list().map(({ code }) => code.toString())).toEqual([good.code.toString()])
    expect(store.usage()).toMatchObject({ bytes: MIB, codes: 1 })
    const code = good.code.toString()
    const files = ['', '/manifest', '/provenance', '/tar'].map((file) => `codes/${code}${file}`)
    expect(await leftovers(dir)).toEqual(files)
  })
})

describe('the folder of a download', () => {
  test('takes space as it fills, evicts for what came alone, and is given up when nothing more fits', async () => {
    const clock = manualClock()
    const store = await createCodeStore({ ...testComponents(), clock }, { dir: await tempDir(), maxBytes: 12 * MIB })
    const old = await store.addTar(archive(1, 4 * MIB))
    using _pin = store.pin((await store.addTar(archive(2, 2 * MIB))).code)
    const scratch = await store.scratch(1024 * MIB)
    expect(store.usage().bytes).toBe(10 * MIB)
    const fill = (megabytes: number) => writeFile(join(scratch.dir, 'spool'), noise(megabytes * MIB))
    await fill(4)
    await advanceUntil(clock, 100, () => store.has(old.code)).toBe(false)
    expect(scratch.full.aborted).toBe(false)
    await fill(9)
    await advanceUntil(clock, 100, () => scratch.full.aborted).toBe(true)
    expect(scratch.full.reason).toBeInstanceOf(errors.StoreFullError)
    await scratch[Symbol.asyncDispose]()
    expect(store.usage().bytes).toBe(2 * MIB)
    expect(await readdir(join(scratch.dir, '..'))).toEqual([])
  })

  test('is given up when it holds more than a download has to do with', async () => {
    const clock = manualClock()
    const store = await createCodeStore({ ...testComponents(), clock }, { dir: await tempDir(), maxBytes: 64 * MIB })
    await using scratch = await store.scratch(MIB)
    for (let at = 0; at < 256; at++) await mkdir(join(scratch.dir, `${at}`, 'deep'), { recursive: true })
    await advanceUntil(clock, 100, () => scratch.full.aborted).toBe(true)
    expect(scratch.full.reason.message).toBe('the download made more than 256 files and folders to work with')
  })
})

describe.skipIf(process.getuid?.() !== 0)('a full disk', () => {
  test('gives one clear error and leaves nothing half-written', async () => {
    const dir = await tempDir()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir])
    try {
      const { store } = await testStore({ dir, maxBytes: 1024 * MIB })
      const small = await store.addTar(archive(1))
      await expect(store.addTar(archive(2, 5 * MIB))).rejects.toBeInstanceOf(errors.DiskFullError)
      await expect(store.addTar(archive(2, 5 * MIB))).rejects.toThrow(`the disk of ${dir} is full`)
      const { code, encoded, tar } = await manifestOf(archive(3, 5 * MIB))
      const partial = await store.begin(code, encoded)
      const writing = async () => {
        for (let at = 0; at < 5; at++) await partial.write(at, tar.subarray(at * MIB, (at + 1) * MIB))
      }
      await expect(writing()).rejects.toBeInstanceOf(errors.DiskFullError)
      await partial.discard()
      expect(store.usage()).toMatchObject({ bytes: MIB, codes: 1 })
      expect((await leftovers(dir)).filter((path) => !path.startsWith(`codes/${small.code}`))).toEqual([])
      expect((await store.addTar(archive(4, 2 * MIB))).size).toBe(2 * MIB)
    } finally {
      execFileSync('umount', [dir])
      await rm(dir, { recursive: true, force: true })
    }
  })
})
