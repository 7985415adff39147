import { expect, test } from 'vitest'
import { decodeImageManifest } from '../../../../src/code/images/image-manifest.ts'

const OCI = 'application/vnd.oci.image'
const digest = (digit: string) => `sha256:${digit.repeat(64)}`
const config = { mediaType: `${OCI}.config.v1+json`, digest: digest('c'), size: 100 }
const layer = (change: object = {}) => ({
  mediaType: `${OCI}.layer.v1.tar+gzip`,
  digest: digest('a'),
  size: 5000,
  ...change,
})
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const manifest = (change: object = {}) => ({ schemaVersion: 2, config, layers: [layer()], ...change })

test('names each blob once, the largest first', () => {
  const plain = layer({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', digest: digest('b'), size: 9000 })
  const read = decodeImageManifest(bytes(manifest({ layers: [layer(), plain, layer()], annotations: { x: 'y' } })))
  expect(read.blobs).toEqual([
    { digest: 'b'.repeat(64), size: 9000 },
    { digest: 'a'.repeat(64), size: 5000 },
    { digest: 'c'.repeat(64), size: 100 },
  ])
  expect(read.size).toBe(14_100)
  expect(read.layers.map(({ digest: hex, compression }) => [hex[0], compression])).toEqual([
    ['a', 'gzip'],
    ['b', 'none'],
    ['a', 'gzip'],
  ])
})

test.for<[string, unknown, RegExp]>([
  ['no JSON', '{', /it is no JSON/],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), /it is no JSON/],
  ['null', null, /is not one that can be run: it: /],
  ['too long', ' '.repeat(200_000), /more than 163840 bytes/],
  ['an index', { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [] }, /index of several platforms/],
  ['version 1', manifest({ schemaVersion: 1 }), /schemaVersion/],
  ['no layers', manifest({ layers: [] }), /layers: /],
  ['too many layers', manifest({ layers: Array(128).fill(layer()) }), /layers: /],
  [
    'a digest of another kind',
    manifest({ layers: [layer({ digest: `sha512:${'a'.repeat(128)}` })] }),
    /layers\.0\.digest: must be sha256/,
  ],
  ['a digest that is a path', manifest({ config: { ...config, digest: 'sha256:../../etc/passwd' } }), /config\.digest/],
  ['a negative size', manifest({ layers: [layer({ size: -1 })] }), /layers\.0\.size/],
  ['a configuration that fills an engine’s memory', manifest({ config: { ...config, size: 2 ** 23 } }), /config\.size/],
  ['a size beyond the wire', manifest({ layers: [layer({ size: 2 ** 33 })] }), /layers\.0\.size/],
  [
    'a foreign layer',
    manifest({ layers: [layer({ urls: ['http://169.254.169.254/x'] })] }),
    /addresses of its own \(urls\)/,
  ],
  ['a layer of unknown kind', manifest({ layers: [layer({ mediaType: 'text/html' })] }), /a layer is "text\/html"/],
  ['an artifact', manifest({ config: { ...config, mediaType: 'application/vnd.cncf.helm' } }), /its configuration is/],
  ['two sizes of one blob', manifest({ layers: [layer(), layer({ size: 4 })] }), /one blob two sizes/],
])('refuses %s in one sentence', ([_what, value, sentence]) => {
  const act = () => decodeImageManifest(value instanceof Uint8Array ? value : bytes(value))
  expect(act).toThrow(sentence)
  expect(act).not.toThrow(/\n/)
})
