import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { InputError } from '../../../src/base/errors.ts'
import { createManifest as describeArchive } from '../../../src/code/archive/chunks.ts'
import { encodeHeader } from '../../../src/code/archive/tar-format.ts'
import { createTarReader } from '../../../src/code/archive/tar-read.ts'
import { BadArchiveError, TooLargeError } from '../../../src/code/errors.ts'
import { writingSink } from '../../../src/code/unpack/sinks.ts'
import { unpackArchive } from '../../../src/code/unpack/unpack.ts'
import { once, testStore } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { hostileTars } from './hostile-tars.ts'
import { rawTar } from './raw-tar.ts'

const limits = { maxEntries: 1000, maxBytes: 1024 * 1024 }
const clock = systemClock()
const nowhere = { file() {}, data() {}, close() {}, link() {} }

describe('hostile archives', () => {
  const hostile = hostileTars()

  test('there are more than five hundred of them, and the frame they stand in is sound', async () => {
    expect(hostile.length).toBeGreaterThan(500)
    const { store } = await testStore()
    await store.addTar(once(rawTar({ path: 'a', content: 'hello' }, { path: 'b/c', content: 'x', mode: '0000755\0' })))
    expect(store.usage().codes).toBe(1)
  })

  test('none is taken into the store, and nothing of them stays', async () => {
    const { store, dir } = await testStore()
    for (const { name, tar } of hostile) {
      const error: unknown = await store.addTar(once(tar)).catch((reason: unknown) => reason)
      expect(error, name).toBeInstanceOf(name.startsWith('size') ? InputError : BadArchiveError)
      expect((error as InputError).message, name).toMatch(/^[^\n]{10,400}$/)
    }
    expect(store.usage()).toMatchObject({ bytes: 0, codes: 0 })
    for (const folder of await readdir(dir)) expect(await readdir(join(dir, folder))).toEqual([])
  })

  test('none writes outside of its folder, whatever pieces it comes in', async () => {
    const outer = await tempDir()
    for (const [index, { name, tar }] of hostile.entries()) {
      const target = join(outer, 'in', String(index))
      await mkdir(target, { recursive: true })
      const reader = createTarReader(writingSink(target), limits)
      const step = 1 + (index % 700)
      const read = () => {
        for (let at = 0; at < tar.byteLength; at += step) reader.push(tar.subarray(at, at + step))
        reader.end()
      }
      expect(read, name).toThrow(InputError)
    }
    expect(await readdir(outer)).toEqual(['in'])
    expect((await readdir(join(outer, 'in'))).length).toBe(hostile.length)
    for (const entry of await readdir(outer, { recursive: true, withFileTypes: true })) {
      expect(entry.isFile() || entry.isDirectory(), entry.name).toBe(true)
    }
  })

  test.each(hostile.filter((_, index) => index % 25 === 0))(
    'with a right hash, the unpacking process refuses: $name',
    async ({ tar }) => {
      if (tar.byteLength === 0) return
      const dir = await tempDir()
      const target = join(dir, 'target')
      await mkdir(target)
      await writeFile(join(dir, 'tar'), tar)
      const { manifest } = describeArchive(tar.byteLength, [sha256(tar)])
      const unpacking = unpackArchive({ manifest, tar: join(dir, 'tar') }, target, { clock, limits })
      await expect(unpacking).rejects.toBeInstanceOf(InputError)
      expect((await readdir(dir)).sort()).toEqual(['tar', 'target'])
    },
  )

  test('more files, folders or bytes than allowed', () => {
    const read = (tar: Buffer, own: Partial<typeof limits>) => () => {
      const reader = createTarReader(nowhere, { ...limits, ...own })
      reader.push(tar)
      reader.end()
    }
    const tar = rawTar({ path: 'a/b/c/d', content: 'hello' }, { path: 'a/b/x', content: 'hello' }, { path: 'a/c/x' })
    expect(read(tar, { maxEntries: 7, maxBytes: 10 })).not.toThrow()
    expect(read(tar, { maxEntries: 6 })).toThrow(TooLargeError)
    expect(read(tar, { maxBytes: 9 })).toThrow(TooLargeError)
    // the size counts when it is announced, not when it has been written
    expect(read(rawTar({ path: 'a', size: '77777777777\0' }), {})).toThrow(TooLargeError)
  })

  test('a very deep tree of many files is read quickly', () => {
    const names = Array.from({ length: 3000 }, (_, index) => `${'a/'.repeat(500)}${String(index).padStart(5, '0')}`)
    const reader = createTarReader(nowhere, { maxEntries: 5000, maxBytes: 1 })
    const before = process.cpuUsage()
    for (const path of names) reader.push(encodeHeader({ path, executable: false, size: 0 }))
    expect(reader.entries).toBe(3500)
    // of this process's own work, however busy the machine is
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000)
  })
})
