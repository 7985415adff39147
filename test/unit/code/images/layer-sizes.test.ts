import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import { BadArchiveError, TooLargeError } from '../../../../src/code/errors.ts'
import { createLayerSizes } from '../../../../src/code/images/layer-sizes.ts'
import { MIB, once, testStore } from '../../../fixtures/code/stores.ts'
import { digestOf } from '../../../fixtures/execution/images.ts'

/** A stored image with these layers. */
async function stored(layers: readonly { kind: string; bytes: Uint8Array }[]) {
  const { store, clock } = await testStore()
  const config = Buffer.from('{}')
  const described = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: described('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map(({ kind, bytes }) => described(`application/vnd.oci.image.layer.v1.${kind}`, bytes)),
    }),
  )
  const code = cidOfBytes(manifest)
  const partial = await store.images.begin(code, manifest)
  const all = new Map([config, ...layers.map(({ bytes }) => bytes)].map((bytes) => [digestOf(bytes).slice(7), bytes]))
  for (const blob of partial.missing()) await partial.write(blob, once(all.get(blob.digest) as Uint8Array))
  await partial.commit({})
  const sizes = createLayerSizes({ clock, images: store.images })
  return (maxBytes: number) => sizes.check(code, maxBytes)
}

test('layers of every compression count with what they decompress to, each blob once', async () => {
  const zeros = Buffer.alloc(MIB)
  const gzip = { kind: 'tar+gzip', bytes: gzipSync(zeros) }
  const check = await stored([
    gzip,
    gzip,
    { kind: 'tar+zstd', bytes: zstdCompressSync(zeros) },
    { kind: 'tar', bytes: Buffer.alloc(1000) },
  ])
  await expect(check(2 * MIB + 999)).rejects.toBeInstanceOf(TooLargeError)
  await check(2 * MIB + 1000)
  await expect(check(2 * MIB + 999)).rejects.toThrow(/unpack to more than .*, which resources\.disk allows/)
})

test('a bomb is found without being unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(256 * MIB))
  const check = await stored([{ kind: 'tar+gzip', bytes: bomb }])
  await expect(check(8 * MIB)).rejects.toBeInstanceOf(TooLargeError)
})

test.each([
  ['gzip that is none', 'tar+gzip', Buffer.from('hello')],
  ['gzip that ends early', 'tar+gzip', gzipSync(Buffer.alloc(MIB)).subarray(0, 500)],
  ['zstd that is none', 'tar+zstd', Buffer.from('hello')],
])('%s is one sentence', async (_what, kind, bytes) => {
  const failed = (await stored([{ kind, bytes }]))(MIB)
  await expect(failed).rejects.toBeInstanceOf(BadArchiveError)
  await expect(failed).rejects.toThrow(/^the layer \w{12} of the image cannot be decompressed as/)
})
