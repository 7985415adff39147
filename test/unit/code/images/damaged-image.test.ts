import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Disk, systemDisk } from '../../../../src/base/os/disk.ts'
import type { ImageBlob } from '../../../../src/code/images/image-manifest.ts'
import type { PartialImage } from '../../../../src/code/images/types.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import { addImage, fillImage, imageOf } from '../../../fixtures/code/images.ts'
import { MIB, testComponents } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { checked } from '../repair/repair-fixtures.ts'
import { flip } from '../store/store-support.ts'

const system = systemDisk()
const image = imageOf(1)
const [, layer = ''] = image.contents.keys()
const DAMAGED = ['damaged', `its blob ${layer.slice(0, 12)} is damaged on this disk`]

/** A store that begins again with what `dir` has: nothing of it is known to be right. */
async function open(dir: string, disk: Partial<Disk> = {}) {
  const components = { ...testComponents(), disk: { ...system, ...disk } }
  const store = await createCodeStore(components, { dir, maxBytes: 64 * MIB })
  return { store, seen: components.seen, path: join(dir, 'images', image.code.toString(), 'blobs', layer) }
}

/** The folder of a store that has the image, or all of it but its largest blob. */
async function folderWith(what: 'all' | 'a part'): Promise<string> {
  const dir = await tempDir()
  const { store } = await open(dir)
  if (what === 'all') await addImage(store, image)
  else {
    await using partial = await store.images.begin(image.code, image.manifest)
    for (const blob of partial.missing().slice(1)) await partial.write(blob, image.piecesOf(blob))
  }
  return dir
}

const damagedEvents = ({ seen }: { seen: [string, unknown][] }) => seen.filter(([name]) => name === 'code:damaged')

describe('an image whose blob is damaged', () => {
  test('is said to be damaged also where the disk does not remove the blob', async () => {
    const rm: Disk['rm'] = async (path, options) => {
      if (path.endsWith(layer)) throw new Error('EIO')
      return system.rm(path, options)
    }
    const here = await open(await folderWith('all'), { rm })
    using _pin = here.store.pin(image.code)
    await flip(here.path, 5)
    expect(await checked(here.store)).toEqual([DAMAGED])
    expect(damagedEvents(here)).toHaveLength(1)
    await fillImage(here.store.images.resume(image.code) as PartialImage, image)
    expect(await checked(here.store)).toEqual([['ok', undefined]])
  })

  test('is not damaged where it was never whole: the blob is missing', async () => {
    const here = await open(await folderWith('a part'))
    using _pin = here.store.pin(image.code)
    await flip(here.path, 5)
    expect(await here.store.images.open(image.code)?.blobSize(layer)).toBeUndefined()
    expect([here.store.damage(image.code), damagedEvents(here)]).toEqual([undefined, []])
    const resumed = here.store.images.resume(image.code) as PartialImage
    expect(resumed.missing().map(({ size }) => size)).toEqual([2 * MIB, MIB])
    await fillImage(resumed, image)
    expect(await checked(here.store)).toEqual([['ok', undefined]])
  })

  test('is not complete where that was found while the rest came', async () => {
    const here = await open(await folderWith('a part'))
    const partial = here.store.images.resume(image.code) as PartialImage
    const [largest] = partial.missing() as [ImageBlob]
    await partial.write(largest, image.piecesOf(largest))
    await flip(here.path, 5)
    expect(await here.store.images.open(image.code)?.blobSize(layer)).toBeUndefined()
    await expect(partial.commit({})).rejects.toThrow('the image is not complete yet')
    await fillImage(partial, image)
    expect(await checked(here.store)).toEqual([['ok', undefined]])
    const files = 4 + image.contents.size
    expect(here.store.usage()).toMatchObject({ bytes: image.manifest.byteLength + 3 * MIB + 100, files })
  })

  test('a check that began before it came again takes nothing of it away', async () => {
    const gate = Promise.withResolvers<void>()
    let opened = 0
    const openFile: Disk['open'] = async (path, ...how) => {
      const file = await system.open(path, ...how)
      if (!path.endsWith(layer) || opened++ > 0) return file
      const { read } = file
      return Object.assign(file, {
        read: async (...of: Parameters<typeof read>) => {
          await gate.promise
          return read.apply(file, of)
        },
      })
    }
    const here = await open(await folderWith('all'), { open: openFile })
    using _pin = here.store.pin(image.code)
    await flip(here.path, 5)
    const early = checked(here.store)
    await expect.poll(() => opened).toBe(1)
    expect(await here.store.images.open(image.code)?.blobSize(layer)).toBeUndefined()
    await fillImage(here.store.images.resume(image.code) as PartialImage, image)
    gate.resolve()
    expect(await early).toEqual([['ok', undefined]])
    expect(here.store.has(image.code)).toBe(true)
    expect((await stat(here.path)).size).toBe(MIB)
    expect(damagedEvents(here)).toHaveLength(1)
  })
})
