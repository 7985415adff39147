import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { systemDisk } from '../../../../src/base/os/disk.ts'
import { REPAIR_BACKOFF } from '../../../../src/code/constants.ts'
import { DiskFullError, InUseError } from '../../../../src/code/errors.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import { MIB, noise, once, testComponents } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { advanceUntil, publish, recordingProvider } from '../fetch-fixtures.ts'
import { chunkOf, flip } from '../store/store-support.ts'
import { checked, repairing } from './repair-fixtures.ts'

const disk = systemDisk()
const errno = (code: string) => Object.assign(new Error(`${code}: it fails`), { code })

describe('code that came, and that the disk does not take', () => {
  test('is read back before it takes the place of damaged code, and fetched again where that was lost, too', async () => {
    const there = await publish()
    const { asked, alice } = recordingProvider(there)
    const clock = manualClock()
    let losses = 0
    // it is lost again just before it is read back
    const open: typeof disk.open = async (path, ...how) => {
      if (how[0] === undefined && path.includes('/partial/') && losses-- > 0) await flip(path, MIB)
      return disk.open(path, ...how)
    }
    const here = await repairing({ alice }, { clock, disk: { ...disk, open } })
    const { store } = here.code
    const run = await here.code.obtain(there.code)
    await flip(store.paths(there.code).tar, 5)
    asked.length = 0
    losses = 1
    expect(await checked(store)).toEqual([['damaged', 'chunk 0 is damaged on this disk']])
    const problem = 'the code was fetched again, and chunk 1 is damaged on this disk'
    await expect.poll(() => here.repair.of(there.code.toString())).toMatchObject({ state: 'waiting', problem })
    expect(asked).toHaveLength(1 + 9)

    // no peer gets any of it that was not compared with its hash
    await using reader = await store.open(there.code)
    await expect(chunkOf(reader, 0)).rejects.toThrow('chunk 0 is damaged')
    expect(Buffer.compare((await chunkOf(reader, 1)) as Uint8Array, there.tar.subarray(MIB, 2 * MIB))).toBe(0)

    await advanceUntil(clock, REPAIR_BACKOFF.firstMs / 10, () => store.has(there.code)).toBe(true)
    expect(asked.slice(1 + 9).filter((index) => index >= 0)).toEqual([1])
    expect(await checked(store)).toEqual([['ok', undefined]])
    run.release()
    await store.remove(there.code)
    expect(store.usage()).toMatchObject({ bytes: 0, files: 0 })
  })

  test('frees the disk where that is full at the very end, and comes with the next fetch', async () => {
    const there = await publish(noise(2 * MIB))
    let isFull = true
    const writeFile: typeof disk.writeFile = async (path, ...what) => {
      if (isFull && path.endsWith('/provenance')) throw errno('ENOSPC')
      return disk.writeFile(path, ...what)
    }
    const here = await repairing({ alice: there.store }, { disk: { ...disk, writeFile } })
    const { store } = here.code
    await expect(here.code.fetch(there.code, { attempts: 1 })).rejects.toBeInstanceOf(DiskFullError)
    expect(store.usage()).toMatchObject({ bytes: 0, files: 0 })
    expect(await readdir(join(here.dir, 'partial'))).toEqual([])
    isFull = false
    await here.code.fetch(there.code, { attempts: 1 })
    expect(await checked(store)).toEqual([['ok', undefined]])
  })

  test.each([
    ['to its place', false],
    ['to the place of damaged code', true],
  ])('stays where it cannot be moved %s, and is taken in by the next fetch', async (_, isDamaged) => {
    const there = await publish(noise(2 * MIB))
    const { asked, alice } = recordingProvider(there)
    let fails = false
    const rename: typeof disk.rename = async (from, to) => {
      if (fails && from.includes('/partial/') && to.includes('/codes/')) throw errno('EIO')
      return disk.rename(from, to)
    }
    const here = await repairing({ alice }, { disk: { ...disk, rename } })
    const { store } = here.code
    using _pin = store.pin(there.code)
    here.closing.abort(new Error('the test fetches it itself'))
    if (isDamaged) {
      await here.code.fetch(there.code)
      await flip(store.paths(there.code).tar, 5)
      await checked(store)
    }
    fails = true
    await expect(here.code.fetch(there.code, { attempts: 1 })).rejects.toThrow('EIO')
    expect(store.has(there.code)).toBe(false)
    fails = false
    const before = asked.length
    await here.code.fetch(there.code, { attempts: 1 })
    expect(asked).toHaveLength(before)
    expect(await checked(store)).toEqual([['ok', undefined]])
    expect(store.usage()).toMatchObject({ bytes: there.size, files: 4, codes: 1 })
  })

  test('is not removed while it takes the place of damaged code', async () => {
    const there = await publish(noise(2 * MIB))
    const gate = Promise.withResolvers<void>()
    let moves = 0
    const rename: typeof disk.rename = async (from, to) => {
      if (from.includes('/in-') && to.endsWith('/tar') && moves++ === 0) await gate.promise
      return disk.rename(from, to)
    }
    const components = { ...testComponents(), disk: { ...disk, rename } }
    const store = await createCodeStore(components, { dir: await tempDir(), maxBytes: 64 * MIB })
    await store.addTar(once(there.tar))
    const pin = store.pin(there.code)
    await flip(store.paths(there.code).tar, 5)
    await checked(store)
    pin[Symbol.dispose]()
    const adding = store.addTar(once(there.tar))
    await expect.poll(() => moves).toBe(1)
    const removing = store.remove(there.code)
    removing.catch(() => {})
    gate.resolve()
    await adding
    await expect(removing).rejects.toBeInstanceOf(InUseError)
    expect(await checked(store)).toEqual([['ok', undefined]])
    await store.remove(there.code)
    expect(store.usage()).toMatchObject({ bytes: 0, files: 0, codes: 0 })
  })

  test('is given to no one who read it while it came', async () => {
    const there = await publish(noise(2 * MIB))
    let fails = true
    const rename: typeof disk.rename = async (from, to) => {
      if (fails && from.includes('/partial/')) throw errno('EIO')
      return disk.rename(from, to)
    }
    const components = { ...testComponents(), disk: { ...disk, rename } }
    const store = await createCodeStore(components, { dir: await tempDir(), maxBytes: 64 * MIB })
    const partial = await store.begin(there.code, there.manifest)
    for (const index of [0, 1, 2]) await partial.write(index, there.tar.subarray(index * MIB, (index + 1) * MIB))
    await using reader = await store.open(there.code)
    expect(await chunkOf(reader, 0)).toBeDefined()
    await expect(partial.commit()).rejects.toThrow('EIO')
    expect(await chunkOf(reader, 0)).toBeUndefined()
    await partial[Symbol.asyncDispose]()
    fails = false
    await using resumed = await store.resume(there.code)
    expect(resumed?.complete).toBe(true)
    await resumed?.commit()
    expect(store.has(there.code)).toBe(true)
  })
})
