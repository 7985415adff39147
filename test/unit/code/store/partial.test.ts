import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeId } from '../../../../protocols/streams/archive.ts'
import * as errors from '../../../../src/code/errors.ts'
import { MIB, testStore } from '../../../fixtures/code/stores.ts'
import { archive, chunkOf, leftovers, manifestOf } from './store-support.ts'

describe('a code that comes in parts', () => {
  test('is verified chunk by chunk, in any order, and begins again where it ended', async () => {
    const { code, encoded, tar } = await manifestOf(archive(1, 3 * MIB + 512))
    const chunk = (index: number) => tar.subarray(index * MIB, (index + 1) * MIB)
    const { store, dir } = await testStore()
    const partial = await store.begin(code, encoded)
    await partial.write(2, chunk(2))
    for (const index of [1, 3])
      await expect(partial.write(index, chunk(2))).rejects.toBeInstanceOf(errors.HashMismatchError)
    await partial.write(3, chunk(3))
    await expect(partial.commit()).rejects.toBeInstanceOf(errors.HashMismatchError)
    expect([0, 1, 2, 3].map(partial.has)).toEqual([false, false, true, true])
    // others may read what is there already
    await using reader = await store.open(code)
    expect(Buffer.compare((await chunkOf(reader, 2)) as Uint8Array, chunk(2))).toBe(0)
    expect(await chunkOf(reader, 0)).toBeUndefined()
    for (const work of [store.resume(code), store.begin(code, encoded), store.remove(code)])
      await expect(work).rejects.toBeInstanceOf(errors.InUseError)
    await partial[Symbol.asyncDispose]()

    await using again = (await testStore({ dir })).store
    expect(again.list()).toMatchObject([{ complete: false, size: 3 * MIB + 512 }])
    expect(again.usage().bytes).toBeLessThan(2 * MIB)
    const resumed = await again.resume(code)
    for (const bytes of [resumed?.bytes, again.usage().bytes]) expect(bytes).toBe(MIB + 512)
    await resumed?.write(0, chunk(0))
    await resumed?.write(1, chunk(1))
    await resumed?.commit()
    expect(again.has(code)).toBe(true)
    expect(again.usage()).toMatchObject({ bytes: 3 * MIB + 512, codes: 1 })
    expect(Buffer.compare(await readFile(again.paths(code).tar), tar)).toBe(0)
    expect(await readdir(join(dir, 'partial'))).toEqual([])
  })

  test('evicts for chunks as they come: what is only named takes nothing', async () => {
    const { store } = await testStore({ maxBytes: 4 * MIB })
    const { code, encoded, tar } = await manifestOf(archive(1, 3 * MIB))
    const old = await Promise.all([2, 3].map((seed) => store.addTar(archive(seed))))
    const here = () => old.filter(({ code }) => store.has(code)).length
    const partial = await store.begin(code, encoded)
    const counts = [here()]
    for (const index of [0, 1, 1, 2]) {
      await partial.write(index, tar.subarray(index * MIB, (index + 1) * MIB))
      counts.push(here())
    }
    expect(counts).toEqual([2, 2, 2, 2, 1])
    await partial.commit()
    expect(store.usage().bytes).toBe(4 * MIB)
    await expect(store.begin(code, encoded)).rejects.toBeInstanceOf(errors.InUseError)
  })

  test('what the disk holds is believed only after it was hashed', async () => {
    const { code, encoded, tar } = await manifestOf(archive(1, 2 * MIB))
    const { store, dir } = await testStore()
    const partial = await store.begin(code, encoded)
    await partial.write(0, tar.subarray(0, MIB))
    await partial.write(1, tar.subarray(MIB))
    await partial[Symbol.asyncDispose]()
    const path = join(dir, 'partial', code.toString(), 'tar')
    await writeFile(path, (await readFile(path)).fill(1, 0, 1))
    const resumed = await store.resume(code)
    expect([0, 1].map((index) => resumed?.has(index))).toEqual([false, true])
    await resumed?.discard()
    expect(store.usage()).toMatchObject({ bytes: 0 })
    expect(await leftovers(dir)).toEqual([])
  })

  test('a manifest must be the one that was asked for, and one', async () => {
    const { code, encoded } = await manifestOf(archive(1))
    const other = await manifestOf(archive(2, 9 * MIB))
    const { store, dir } = await testStore({ maxBytes: 8 * MIB })
    await expect(store.begin(code, other.encoded)).rejects.toBeInstanceOf(errors.HashMismatchError)
    await expect(store.begin(other.code, other.encoded)).rejects.toBeInstanceOf(errors.TooLargeError)
    const nonsense = Buffer.from('a1617601', 'hex')
    await expect(store.begin(codeId(nonsense), nonsense)).rejects.toBeInstanceOf(errors.BadArchiveError)
    expect(store.usage().bytes).toBe(0)
    expect(await leftovers(dir)).toEqual([])
    await (await store.begin(code, encoded)).discard()
  })
})
