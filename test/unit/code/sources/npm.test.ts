import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { PACKAGE_FILES, PACKAGES } from '../../../fixtures/code/package-shelves.ts'
import { codeOf, fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { rawTar } from '../raw-tar.ts'

const { file, path, name, version, pages } = PACKAGES.npm
const source = { type: 'registry' as const, kind: 'npm' as const, name, version }
const storageOf = (url: string) => ({ ALLOWED_STORAGE: [], REGISTRIES: { 'NODE.JS': [url] } })
const PACKUMENT = '/@scope%2fthing'
const DOCUMENT = `${PACKUMENT}/${version}`
/** What the registry has of the one version. */
const documentOf = (url: string, bytes = file) => (pages(url, bytes) as Record<string, object>)[DOCUMENT]

describe('npm, a registry that serves packuments alone', () => {
  const served = (versions: (url: string) => object, without = 404) =>
    sourceServer((self) => ({
      [PACKUMENT]: { 'dist-tags': { latest: version }, versions: versions(self) },
      [DOCUMENT]: (response: ServerResponse) => void response.writeHead(without).end(),
      [path]: file,
    }))

  test.for([404, 405])(
    'the version comes from the packument, where its own document is answered with %i',
    async (status) => {
      const { url, asked, headers } = await served((self) => ({ [version]: documentOf(self) }), status)
      const { store } = await fetchSource(source, PACKAGE_FILES, { storage: storageOf(url) })
      expect(store.has(await codeOf(PACKAGE_FILES))).toBe(true)
      expect(asked).toEqual([DOCUMENT, PACKUMENT, path])
      expect(headers[1]?.accept).toBe('application/vnd.npm.install-v1+json')
    },
  )

  test.for<[string, (url: string) => object, string]>([
    ['has a hash of another file', (url) => ({ [version]: documentOf(url, Buffer.from('x')) }), 'whose sha512 is not'],
    ['names another version', (url) => ({ [version]: { ...documentOf(url), version: '9.9.9' } }), 'no such version'],
    ['has versions that are none', () => [1, 2], 'there is no such version; the latest is 1.2.3'],
    [
      'names a file at a private address',
      () => ({ [version]: { version, dist: { tarball: 'http://10.0.0.1/t' } } }),
      '10.0.0.1:80 is not among',
    ],
  ])('a packument that %s is refused', async ([, versions, sentence]) => {
    const { url } = await served(versions)
    await expect(fetchSource(source, PACKAGE_FILES, { storage: storageOf(url) })).rejects.toThrow(sentence)
  })

  test.for<[string, Page, string]>([
    [
      'is larger than what may be read',
      (response) => {
        const more = () => response.write(' '.repeat(1024 * 1024), (error) => error ?? more())
        more()
      },
      'sends more than the 64 MiB that may be downloaded',
    ],
    ['is no JSON', '<html>', 'does not answer with JSON at /@scope%2fthing'],
    ['cannot be had now', (response) => void response.writeHead(503).end(), 'answers 503 for /@scope%2fthing'],
  ])('a packument that %s ends in one sentence', async ([, page, sentence]) => {
    const { url } = await sourceServer(() => ({ [PACKUMENT]: page }))
    await expect(fetchSource(source, PACKAGE_FILES, { storage: storageOf(url) })).rejects.toThrow(sentence)
  })

  test('without either it has no such package', async () => {
    const { url } = await sourceServer(() => ({}))
    const failure = fetchSource(source, PACKAGE_FILES, { storage: storageOf(url) })
    await expect(failure).rejects.toThrow(`${new URL(url).host} has no package @scope/thing`)
  })
})

describe('npm, a version that changes', () => {
  const other = gzipSync(rawTar({ path: 'package/other', content: 'x' }))

  test('between its document and its file is refused by its hash, and later by the content id', async () => {
    const served = [file, other]
    const { url, asked } = await sourceServer((self) => ({
      [DOCUMENT]: (response: ServerResponse) => response.end(JSON.stringify(documentOf(self, served[0]))),
      [path]: (response: ServerResponse) => {
        served.shift()
        response.end(served[0] ?? other)
      },
    }))
    const storage = storageOf(url)
    await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(
      'sent a file whose sha512 is not the one that the registry gives',
    )
    await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(
      /has other files: they are the code bafy/,
    )
    expect(asked).toEqual([DOCUMENT, path, DOCUMENT, path])
  })
})

describe('npm, where a login or another version is needed', () => {
  const withToken = async (url: string) => {
    const home = await tempDir()
    writeFileSync(`${home}/.npmrc`, `${url.replace('http:', '')}/:_authToken=secret\n`)
    return { HOME: home }
  }
  const guarded = (answer: (response: ServerResponse) => void) => (response: ServerResponse) =>
    response.req.headers.authorization === 'Bearer secret' ? answer(response) : void response.writeHead(401).end()

  test('the token of the person serves own services alone, and that origin alone', async () => {
    const other = await sourceServer(() => ({ '/file.tgz': file }))
    const { url, headers } = await sourceServer((self) => ({
      '/@scope%2fthing/1.2.3': guarded((response) =>
        response.end(
          JSON.stringify({
            version,
            dist: { tarball: `${self}${path}`, shasum: createHash('sha1').update(file).digest('hex') },
          }),
        ),
      ),
      [path]: (response) => response.writeHead(302, { location: `${other.url}/file.tgz` }).end(),
    }))
    const options = { storage: { REGISTRIES: { 'NODE.JS': [url] }, ALLOWED_STORAGE: [] }, env: await withToken(url) }
    await expect(fetchSource(source, PACKAGE_FILES, options)).rejects.toThrow(
      /shows @scope\/thing to nobody without a login; `npm login --registry=http/,
    )
    expect(headers.map(({ authorization }) => authorization)).toEqual([undefined])
    // another port is another origin
    const storage = { ...options.storage, ALLOWED_STORAGE: ['127.0.0.1'] }
    const { store } = await fetchSource(source, PACKAGE_FILES, { ...options, storage, own: true })
    expect(store.usage().codes).toBe(1)
    const seen = [headers, other.headers].map((all) => all.map(({ authorization }) => authorization))
    expect(seen).toEqual([[undefined, 'Bearer secret', 'Bearer secret'], [undefined]])
  })

  test.for([
    [
      'another version',
      {
        versions: { '1.0.0': {}, '1.10.2': {}, '1.9.9': {}, '2.0.0': {}, '1.11.0-rc.1': {} },
        'dist-tags': { latest: '2.0.0' },
      },
      'there is no such version; the newest of 1.x is 1.10.2; the latest is 2.0.0',
    ],
    [
      'the latest alone',
      { versions: { '1.0.0': {} }, 'dist-tags': { latest: '1.0.0' } },
      'there is no such version; the latest is 1.0.0',
    ],
    ['none', {}, 'the npm package @scope/thing 1.2.3: there is no such version'],
  ] as const)('a version that is not there: there is %s', async ([, all, sentence]) => {
    const { url } = await sourceServer(() => ({ '/@scope%2fthing': all }))
    const storage = { REGISTRIES: { 'NODE.JS': [url] } }
    await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(sentence)
  })
})
