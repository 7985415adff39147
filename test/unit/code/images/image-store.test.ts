import { readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import {
  BadArchiveError,
  HashMismatchError,
  InUseError,
  StoreFullError,
  TooLargeError,
} from '../../../../src/code/errors.ts'
import type { ImageBlob } from '../../../../src/code/images/image-manifest.ts'
import type { PartialImage } from '../../../../src/code/images/types.ts'
import { addImage, fillImage, imageOf } from '../../../fixtures/code/images.ts'
import { MIB, noise, once, packFiles, testStore } from '../../../fixtures/code/stores.ts'

describe('images in the code store', () => {
  test('are whole when each blob is; what has come is resumed after a restart', async () => {
    const image = imageOf(1)
    const first = await testStore()
    const partial = await first.store.images.begin(image.code, image.manifest)
    const [largest] = partial.missing() as [ImageBlob]
    await partial.write(largest, image.piecesOf(largest))
    expect([first.store.has(image.code), partial.bytes]).toEqual([false, 2 * MIB])
    await expect(partial.commit({})).rejects.toThrow(/not complete/)
    const { store } = await testStore({ dir: first.dir })
    expect(store.list()).toMatchObject([{ kind: 'image', complete: false }])
    const resumed = store.images.resume(image.code) as PartialImage
    expect(resumed.missing().map(({ size }) => size)).toEqual([MIB, 100])
    expect(() => store.images.resume(image.code)).toThrow(InUseError)
    await fillImage(resumed, image)
    const third = await testStore({ dir: first.dir })
    for (const each of [store, third.store]) {
      expect([each.has(image.code), each.images.resume(image.code)]).toEqual([true, undefined])
      expect(each.list()).toMatchObject([{ kind: 'image', complete: true, provenance: { from: 'mesh' } }])
      expect(each.usage()).toMatchObject({ bytes: image.manifest.byteLength + 3 * MIB + 100, files: 7, codes: 1 })
    }
    const reader = third.store.images.open(image.code)
    const buffer = new Uint8Array(10)
    expect(await reader?.blobSize(largest.digest)).toBe(2 * MIB)
    expect(await reader?.read(largest.digest, 5, buffer)).toBe(true)
    expect(buffer).toEqual((image.contents.get(largest.digest) as Uint8Array).slice(5, 15))
  })

  test('a wrong blob, one too long or too short leaves nothing, and a manifest of another name is refused', async () => {
    const at = await testStore()
    const image = imageOf(1)
    const partial = await at.store.images.begin(image.code, image.manifest)
    const before = at.store.usage()
    const [blob] = partial.missing() as [ImageBlob]
    const right = image.contents.get(blob.digest) as Uint8Array
    const wrong = [noise(blob.size, 9), right.subarray(1), Buffer.concat([right, new Uint8Array(1)])]
    for (const bytes of wrong) await expect(partial.write(blob, once(bytes))).rejects.toBeInstanceOf(HashMismatchError)
    expect(at.store.usage()).toEqual(before)
    expect(await readdir(join(at.dir, 'images', image.code.toString(), 'blobs'))).toEqual([])
    const [other, junk] = [imageOf(2), Buffer.from('{}')]
    await expect(at.store.images.begin(other.code, image.manifest)).rejects.toBeInstanceOf(HashMismatchError)
    await expect(at.store.images.begin(cidOfBytes(junk), junk)).rejects.toBeInstanceOf(BadArchiveError)
    expect(at.store.list()).toHaveLength(1)
  })

  test('share the quota with archives: space is taken as bytes come, and what was used longest ago goes', async () => {
    const at = await testStore({ maxBytes: 5 * MIB })
    const { code: archive } = await at.store.addTar(packFiles([{ path: 'a', content: noise(2 * MIB) }]))
    const image = imageOf(1)
    const partial = await at.store.images.begin(image.code, image.manifest)
    expect(at.store.has(archive)).toBe(true)
    await fillImage(partial, image)
    expect([at.store.has(archive), at.store.has(image.code)]).toEqual([false, true])
    const huge = imageOf(3, [100, 6 * MIB])
    await expect(at.store.images.begin(huge.code, huge.manifest)).rejects.toBeInstanceOf(TooLargeError)
    using _pin = at.store.pin(image.code)
    const more = imageOf(4)
    await expect(at.store.images.begin(more.code, more.manifest)).rejects.toBeInstanceOf(StoreFullError)
    await expect(at.store.remove(image.code)).rejects.toBeInstanceOf(InUseError)
  })

  test('what the disk lost is not given out: it is removed, or kept where it is in use', async () => {
    const at = await testStore()
    const images = [imageOf(1), imageOf(2), imageOf(3)] as const
    for (const image of images) await addImage(at.store, image)
    const damage = (image: (typeof images)[number], digest: string) =>
      truncate(join(at.dir, 'images', image.code.toString(), 'blobs', digest), 3)
    for (const image of images) await damage(image, [...image.contents.keys()][1] as string)
    using _pin = at.store.pin(images[0].code)
    const { store } = at
    const found = (await Array.fromAsync(store.verify())).map(({ code, state }) => [code.toString(), state])
    expect(found.toSorted()).toEqual(
      images.map(({ code }, index) => [code.toString(), index === 0 ? 'damaged' : 'removed']).toSorted(),
    )
    const [, lost] = [...images[0].contents.keys()] as [string, string]
    expect(await store.images.open(images[0].code)?.blobSize(lost)).toBeUndefined()
    const again = await testStore({ dir: at.dir })
    expect(again.store.list()).toMatchObject([{ complete: false }])
  })

  test('what is in the folder and is no image goes at the next start', async () => {
    const at = await testStore()
    const image = imageOf(1)
    await addImage(at.store, image)
    const folder = join(at.dir, 'images', image.code.toString())
    await writeFile(join(at.dir, 'images', 'junk'), 'x')
    await writeFile(join(folder, 'blobs', `${'a'.repeat(64)}`), 'x')
    await writeFile(join(folder, 'blobs', `${'b'.repeat(64)}.part`), 'x')
    await testStore({ dir: at.dir })
    expect(await readdir(join(at.dir, 'images'))).toEqual([image.code.toString()])
    expect(await readdir(join(folder, 'blobs'))).toHaveLength(3)
    await rm(join(folder, 'manifest'))
    expect((await testStore({ dir: at.dir })).store.list()).toEqual([])
  })
})
