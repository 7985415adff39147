import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import { BadArchiveError, TooLargeError } from '../../../../src/code/errors.ts'
import { createLayerSizes } from '../../../../src/code/images/layer-sizes.ts'
import { MIB, once, testStore } from '../../../fixtures/code/stores.ts'
import { digestOf } from '../../../fixtures/execution/images.ts'
import { paxRecord, rawPax, rawTar } from '../raw-tar.ts'

/** What it decompresses to; of what cannot be, itself. */
function decompressed(bytes: Uint8Array): Uint8Array {
  try {
    if (bytes[0] === 0x28) return zstdDecompressSync(bytes)
    return bytes[0] === 0x1f ? gunzipSync(bytes) : bytes
  } catch {
    return bytes
  }
}

/** A stored image with these layers. */
async function stored(
  layers: readonly { kind: string; bytes: Uint8Array }[],
  config = Buffer.from(
    JSON.stringify({ rootfs: { diff_ids: layers.map(({ bytes }) => digestOf(decompressed(bytes))) } }),
  ),
) {
  const { store, clock } = await testStore()
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

test('layers of every compression count with what they unpack to, as often as they are named', async () => {
  const zeros = Buffer.alloc(MIB)
  const gzip = { kind: 'tar+gzip', bytes: gzipSync(zeros) }
  const check = await stored([
    gzip,
    gzip,
    { kind: 'tar+zstd', bytes: zstdCompressSync(zeros) },
    { kind: 'tar', bytes: Buffer.alloc(1024) },
  ])
  await expect(check(3 * MIB + 1023)).rejects.toBeInstanceOf(TooLargeError)
  await check(3 * MIB + 1024)
  await expect(check(3 * MIB + 1023)).rejects.toThrow(/unpack to more than .*, which resources\.disk allows/)
})

test('a layer may come in parts that are compressed each by itself', async () => {
  const half = MIB / 2
  for (const [kind, compress] of [
    ['tar+gzip', gzipSync],
    ['tar+zstd', zstdCompressSync],
  ] as const) {
    const check = await stored([
      { kind, bytes: Buffer.concat([compress(Buffer.alloc(half)), compress(Buffer.alloc(half))]) },
    ])
    await expect(check(MIB - 1)).rejects.toBeInstanceOf(TooLargeError)
    await check(MIB)
  }
})

test.each([
  ['others', { rootfs: { diff_ids: [digestOf(Buffer.alloc(512))] } }, /names other layers than its manifest/],
  ['one more', { rootfs: { diff_ids: Array(2).fill(digestOf(Buffer.alloc(1024))) } }, /names other layers than/],
  ['none', {}, /names no layers \(rootfs\.diff_ids\)/],
])('layers that are not those of the configuration are refused: %s', async (_what, config, sentence) => {
  const check = await stored([{ kind: 'tar', bytes: Buffer.alloc(1024) }], Buffer.from(JSON.stringify(config)))
  await expect(check(MIB)).rejects.toBeInstanceOf(BadArchiveError)
  await expect(check(MIB)).rejects.toThrow(sentence)
})

test('a bomb is found without being unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(256 * MIB))
  const check = await stored([{ kind: 'tar+gzip', bytes: bomb }])
  await expect(check(8 * MIB)).rejects.toBeInstanceOf(TooLargeError)
})

/** A file of holes, as its pax records say. */
const sparse = (records: Record<string, string>) => {
  const all = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'holes', ...records }
  const lines = Object.entries(all).map(([key, value]) => paxRecord(key, value))
  return rawPax(lines.join(''), { content: '0\n'.padEnd(512, '\0') })
}
const SKIPPED = Buffer.from('502a4d1800020000', 'hex').toString('latin1')

test.each([
  ['realsize', sparse({ 'GNU.sparse.realsize': `${2 ** 40}` })],
  ['size', sparse({ 'GNU.sparse.size': `${2 ** 40}` })],
  ['the larger of both', sparse({ 'GNU.sparse.size': '0', 'GNU.sparse.realsize': `${2 ** 40}` })],
  [
    'after a file whose size is in its records',
    Buffer.concat([
      rawPax(paxRecord('size', '5'), { size: '00000000000\0', content: 'hello' }).subarray(0, -1024),
      sparse({ 'GNU.sparse.size': `${2 ** 40}` }),
    ]),
  ],
])('a file of holes counts with its holes: %s', async (_what, tar) => {
  const check = await stored([{ kind: 'tar+gzip', bytes: gzipSync(tar) }])
  await expect(check(MIB)).rejects.toBeInstanceOf(TooLargeError)
})

test('empty files count with what they take of a disk', async () => {
  const files = Array.from({ length: 1000 }, (_, index) => ({ path: `f${index}` }))
  const check = await stored([{ kind: 'tar+gzip', bytes: gzipSync(rawTar(...files)) }])
  await expect(check(4096 * 1000 - 1)).rejects.toBeInstanceOf(TooLargeError)
  await check(4096 * 1000)
})

test.each([
  ['gzip under the media type of none', 'tar', gzipSync(Buffer.alloc(MIB))],
  ['gzip in gzip', 'tar+gzip', gzipSync(gzipSync(Buffer.alloc(MIB)))],
  ['a tar that engines take for zstd', 'tar', rawTar({ path: SKIPPED, content: 'x' })],
  [
    'gzip with more after zeros',
    'tar+gzip',
    Buffer.concat([gzipSync(rawTar({})), Buffer.alloc(4), gzipSync(Buffer.alloc(MIB))]),
  ],
  ['a tar with a wrong checksum', 'tar', rawTar({ checksum: '0000000\0' })],
  ['a tar that goes on after its end', 'tar', Buffer.concat([Buffer.alloc(512), rawTar({})])],
  ['a file of holes of the old kind', 'tar', rawTar({ type: 'S' })],
  ['a folder or a file', 'tar', rawTar({ type: '\0', path: 'a/', content: 'x' })],
  ['pax records that are none', 'tar', rawPax('hello', {})],
  ['gzip that is none', 'tar+gzip', Buffer.from('hello')],
  ['gzip that ends early', 'tar+gzip', gzipSync(Buffer.alloc(MIB)).subarray(0, 500)],
  ['zstd that is none', 'tar+zstd', Buffer.from('hello')],
])('%s is one sentence', async (_what, kind, bytes) => {
  const failed = (await stored([{ kind, bytes }]))(MIB)
  await expect(failed).rejects.toBeInstanceOf(BadArchiveError)
  await expect(failed).rejects.toThrow(/^the layer \w{12} of the image cannot be read as a tar/)
})
