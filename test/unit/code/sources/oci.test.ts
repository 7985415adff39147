import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { UnavailableError } from '../../../../src/base/errors.ts'
import { TooLargeError } from '../../../../src/code/errors.ts'
import { findImage } from '../../../../src/code/sources/find-image.ts'
import { machineNetwork } from '../../../../src/egress/index.ts'
import { imageOf, type SyntheticImage } from '../../../fixtures/code/images.ts'
import { fetchSource, type Page, type Storage, sourceServer } from '../../../fixtures/code/source-server.ts'
import { MIB } from '../../../fixtures/code/stores.ts'
import { mirror, pagesOf, REF, SIZES } from './oci-pages.ts'

const fetchImage = (
  image: SyntheticImage,
  url: string,
  limits = { maxBytes: 4 * MIB, maxEntries: 10 },
  storage = mirror(url),
) => fetchSource({ type: 'oci', ref: REF }, image.code, { storage, limits })
const blobPath = (image: SyntheticImage, index: number) =>
  `/v2/team/app/blobs/sha256:${[...image.contents.keys()][index]}`

describe('an image of a registry', () => {
  test('comes by digest from the registry of REGISTRIES.DOCKER, each blob once', async () => {
    const image = imageOf(1, SIZES)
    const { url, asked } = await sourceServer(() => pagesOf(image))
    const { store, seen } = await fetchImage(image, url)
    expect(store.list()).toMatchObject([
      { kind: 'image', complete: true, provenance: { from: 'oci', source: `the image ${REF}` } },
    ])
    expect(seen).toContainEqual(['code:fetch-finished', expect.objectContaining({ from: 'oci' })])
    expect(asked).toHaveLength(4)
    expect(await Array.fromAsync(store.verify())).toMatchObject([{ state: 'ok' }])
  })

  test('a registry that wants a token says where, and gets it', async () => {
    const image = imageOf(1, SIZES)
    const tokens: (string | undefined)[] = []
    const { url, asked } = await sourceServer((origin) => {
      const guarded = Object.entries(pagesOf(image)).map(([path, bytes]): [string, Page] => [
        path,
        (response) => {
          const { authorization } = response.req.headers
          tokens.push(authorization)
          if (authorization === 'Bearer abc') return void response.end(bytes)
          const challenge = `Bearer realm="${origin}/token",service="reg",scope="repository:team/app:pull"`
          response.writeHead(401, { 'www-authenticate': challenge }).end()
        },
      ])
      return {
        ...Object.fromEntries(guarded),
        '/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull': { token: 'abc' },
      }
    })
    const { store } = await fetchImage(image, url)
    expect(store.has(image.code)).toBe(true)
    expect([tokens[0], new Set(tokens.slice(1))]).toEqual([undefined, new Set(['Bearer abc'])])
    expect(asked.filter((path) => path.startsWith('/token'))).toHaveLength(1)
  })

  test.for<[string, string, RegExp]>([
    ['one at a link-local address', 'Bearer realm="https://169.254.169.254/t"', /169\.254\.169\.254/],
    ['no address', 'Bearer realm="nonsense"', /without a login/],
    ['a file', 'Bearer realm="file:///etc/passwd"', /without a login/],
    ['another kind', 'Basic realm="x"', /without a login/],
  ])('a registry that names %s for its token is refused', async ([_what, challenge, sentence]) => {
    const image = imageOf(1, SIZES)
    const refuse: Page = (response) => void response.writeHead(401, { 'www-authenticate': challenge }).end()
    const { url } = await sourceServer(() =>
      Object.fromEntries(Object.keys(pagesOf(image)).map((path) => [path, refuse])),
    )
    await expect(fetchImage(image, url)).rejects.toThrow(sentence)
  })

  test.for<[string, (image: SyntheticImage) => Record<string, Page>, RegExp]>([
    ['another blob', (image) => ({ [blobPath(image, 1)]: Buffer.alloc(SIZES[1] as number) }), /a blob is not the one/],
    [
      'a shorter blob',
      (image) => ({ [blobPath(image, 1)]: 'short' }),
      /sends a blob of 5 bytes, and its manifest says/,
    ],
    ['a longer blob', (image) => ({ [blobPath(image, 2)]: Buffer.alloc(5000) }), /more than the/],
    ['no blob', (image) => ({ [blobPath(image, 2)]: (response) => void response.writeHead(404).end() }), /answers 404/],
    ['an index', () => ({}), /./],
  ])('%s leaves no image, and says so', async ([what, change, sentence]) => {
    const right = imageOf(1, SIZES)
    const image = what === 'an index' ? { ...right, manifest: imageOf(2).manifest } : right
    const { url } = await sourceServer(() => pagesOf(image, change(image)))
    const failed = fetchImage(image, url)
    await expect(failed).rejects.toThrow(sentence)
    await expect(failed).rejects.not.toThrow(/\n/)
  })

  test('one that is larger than allowed is not downloaded', async () => {
    const image = imageOf(1, SIZES)
    const { url, asked } = await sourceServer(() => pagesOf(image))
    await expect(fetchImage(image, url, { maxBytes: MIB, maxEntries: 10 })).rejects.toBeInstanceOf(TooLargeError)
    expect(asked).toHaveLength(1)
  })

  test.for<[string, Storage, RegExp]>([
    [
      'a host that is not allowed',
      { ALLOWED_STORAGE: ['example.com'], REGISTRIES: {} },
      /may not download from registry\.example\.org/,
    ],
    ['one that only ends alike', { ALLOWED_STORAGE: ['ample.org'], REGISTRIES: {} }, /may not download from/],
    [
      'a registry for own services',
      { ALLOWED_STORAGE: [], REGISTRIES: { DOCKER: [{ URL: 'http://127.0.0.1:9', OWN_ONLY: true }] } },
      /may not download from/,
    ],
  ])('%s is not asked', async ([_what, storage, sentence]) => {
    const image = imageOf(1, SIZES)
    await expect(fetchImage(image, '', undefined, storage)).rejects.toThrow(sentence)
  })

  test('Docker Hub by its own name needs an address, and the sentence names the key', async () => {
    const image = imageOf(1, SIZES)
    const storage = { ALLOWED_STORAGE: ['docker.io'], REGISTRIES: {} }
    const failed = fetchSource({ type: 'oci', ref: `nginx@sha256:${'0'.repeat(64)}` }, image.code, { storage })
    await expect(failed).rejects.toThrow(/name one in REGISTRIES\.DOCKER of config\.json/)
  })

  test('a registry that breaks off may have it later', async () => {
    const image = imageOf(1, SIZES)
    const broken: Page = (response) => {
      response.writeHead(200, { 'content-length': String(SIZES[1]) })
      response.write(Buffer.alloc(10))
      setImmediate(() => response.destroy())
    }
    const { url } = await sourceServer(() => pagesOf(image, { [blobPath(image, 1)]: broken }))
    await expect(fetchImage(image, url)).rejects.toBeInstanceOf(UnavailableError)
  })
})

describe('what a tag names now', () => {
  const image = imageOf(1, SIZES)
  const hex = Buffer.from(image.code.multihash.digest).toString('hex')
  const index = (digest = `sha256:${hex}`) => ({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { digest: `sha256:${'1'.repeat(64)}`, platform: { os: 'linux', architecture: 'arm64' } },
      { digest, platform: { os: 'linux', architecture: 'amd64' } },
      { digest: `sha256:${'2'.repeat(64)}` },
    ],
  })
  const find = async (
    pages: Record<string, Page>,
    { platform = 'linux/amd64', ref = 'team/app:1.2', isNamed = false } = {},
  ) => {
    const { url } = await sourceServer(() => ({ ...pagesOf(image), ...pages }))
    const clock = systemClock()
    const registries = { DOCKER: [url] }
    return findImage({ clock, network: machineNetwork(clock) }, ref, { registries, platform, isNamed })
  }
  const at = (tag: string) => `/v2/team/app/manifests/${tag}`

  test('is its manifest, or of an index the one for the platform', async () => {
    expect(await find({ [at('1.2')]: image.manifest })).toBe(hex)
    expect(await find({ [at('1.2')]: index() })).toBe(hex)
  })

  test.for<[string, Page, string, RegExp]>([
    [
      'an index without the platform',
      index(),
      'linux/riscv64',
      /none for linux\/riscv64; there is one for linux\/arm64 and linux\/amd64/,
    ],
    ['an index that names what is not there', index(`sha256:${'3'.repeat(64)}`), 'linux/amd64', /answers 404/],
    ['no manifest', '{}', 'linux/amd64', /not one that can be run/],
    ['no tag', (response) => void response.writeHead(404).end(), 'linux/amd64', /answers 404/],
  ])('%s is one sentence', async ([_what, page, platform, sentence]) => {
    await expect(find({ [at('1.2')]: page }, { platform })).rejects.toThrow(sentence)
  })

  test('one image must be for the platform that a person names', async () => {
    const pages = { [at('1.2')]: image.manifest }
    expect(await find(pages, { platform: 'linux/arm64' })).toBe(hex)
    await expect(find(pages, { platform: 'linux/arm64', isNamed: true })).rejects.toThrow(
      /there is none for linux\/arm64; it is one image, for /,
    )
  })

  test('a digest is held to: a registry that sends something else is refused', async () => {
    const ref = `team/app:1.2@sha256:${hex}`
    expect(await find({}, { ref })).toBe(hex)
    for (const other of [imageOf(2, SIZES).manifest, index()])
      await expect(find({ [at(`sha256:${hex}`)]: other }, { ref })).rejects.toThrow(/another manifest than/)
  })

  test('a registry that sends another manifest than its index names is refused', async () => {
    const pages = { [at('1.2')]: index(), [at(`sha256:${hex}`)]: imageOf(2, SIZES).manifest }
    await expect(find(pages)).rejects.toThrow(/another manifest than its index names/)
  })
})
