import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { RegistryKind } from '../../../../protocols/registries.ts'
import { registryOf } from '../../../../src/config/index.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { type RawEntry, rawTar } from '../raw-tar.ts'
import { zipOf } from './zips.ts'

/** What each of these packages is, once its format is taken off. */
const FILES = [
  { path: 'bin/run', content: '#!/bin/sh\n', executable: true },
  { path: 'lib/a.js', content: 'hello\n' },
]

const tgz = (prefix: string, ...more: RawEntry[]) =>
  gzipSync(rawTar(...FILES.map(({ path, content }) => ({ path: `${prefix}${path}`, content })), ...more))
const zip = (prefix: string, ...more: string[]) =>
  zipOf([
    ...FILES.map(({ path, content }) => ({ name: `${prefix}${path}`, content })),
    ...more.map((name) => ({ name, content: 'x' })),
  ])
const hash = (algorithm: string, bytes: Uint8Array, encoding: 'hex' | 'base64' = 'hex') =>
  createHash(algorithm).update(bytes).digest(encoding)

type Shelf = {
  name: string
  version: string
  /** the file, and the pages that lead to it; `bad`: another hash */
  file: Buffer
  path: string
  pages(url: string, file: Buffer): Record<string, Page>
}

const SHELVES: Record<RegistryKind, Shelf> = {
  npm: {
    name: '@scope/thing',
    version: '1.2.3',
    file: tgz('package/'),
    path: '/@scope/thing/-/thing-1.2.3.tgz',
    pages: (url, file) => ({
      '/@scope%2fthing/1.2.3': {
        version: '1.2.3',
        dist: {
          tarball: `${url}/@scope/thing/-/thing-1.2.3.tgz`,
          integrity: `sha1-${hash('sha1', file, 'base64')} sha512-${hash('sha512', file, 'base64')}`,
        },
      },
    }),
  },
  pypi: {
    name: 'Thing.More',
    version: '1.0',
    file: tgz('thing_more-1.0/'),
    path: '/files/thing_more-1.0.tar.gz',
    pages: (_, file) => ({
      '/thing-more/': {
        files: [
          { filename: 'thing_more-1.0-cp313-none-linux.whl', url: '/wrong', hashes: {} },
          { filename: 'thing_more-1.0.1.tar.gz', url: '/wrong', hashes: {} },
          {
            filename: 'thing_more-1.0.tar.gz',
            url: '../files/thing_more-1.0.tar.gz',
            hashes: { sha256: hash('sha256', file) },
          },
        ],
      },
    }),
  },
  cargo: {
    name: 'Thing',
    version: '0.1.0',
    file: tgz('Thing-0.1.0/'),
    path: '/dl/Thing/0.1.0/download',
    pages: (url, file) => ({
      '/config.json': { dl: `${url}/dl` },
      '/th/in/thing': [
        JSON.stringify({ name: 'Thing', vers: '0.0.9', cksum: 'x' }),
        JSON.stringify({ name: 'Thing', vers: '0.1.0', cksum: hash('sha256', file) }),
      ].join('\n'),
    }),
  },
  gem: {
    name: 'thing',
    version: '2.0.0',
    file: rawTar({ path: 'metadata.gz', content: 'x' }, { path: 'data.tar.gz', content: tgz('') }),
    path: '/gems/thing-2.0.0.gem',
    pages: (_, file) => ({
      '/info/thing': `---\n2.0.0-java |checksum:${'0'.repeat(64)}\n2.0.0 a:>= 1|checksum:${hash('sha256', file)},ruby:>= 2\n`,
    }),
  },
  go: {
    name: 'example.com/Thing/v2',
    version: 'v2.0.1',
    file: zip('example.com/Thing/v2@v2.0.1/'),
    path: '/example.com/!thing/v2/@v/v2.0.1.zip',
    pages: () => ({}),
  },
  composer: {
    name: 'vendor/thing',
    version: '1.1.0',
    file: zip('vendor-thing-abc/'),
    path: '/dist/thing.zip',
    pages: (url, file) => ({
      '/packages.json': { 'metadata-url': '/p2/%package%.json' },
      '/p2/vendor/thing.json': {
        packages: {
          'vendor/thing': [
            {
              version: '1.2.0',
              name: 'vendor/thing',
              dist: { url: `${url}/dist/thing.zip`, shasum: hash('sha1', file) },
            },
            { version: '1.1.0' },
          ],
        },
      },
    }),
  },
  nuget: {
    name: 'Thing.Core',
    version: '3.0.0',
    file: zip('', '_rels/.rels', '[Content_Types].xml', '.signature.p7s', 'package/services/a.psmdcp'),
    path: '/flat/thing.core/3.0.0/thing.core.3.0.0.nupkg',
    pages: (url, file) => ({
      '/index.json': {
        resources: [
          { '@type': 'PackageBaseAddress/3.0.0', '@id': `${url}/flat/` },
          { '@type': 'RegistrationsBaseUrl/3.6.0', '@id': `${url}/reg` },
        ],
      },
      '/reg/thing.core/3.0.0.json': { catalogEntry: `${url}/catalog/leaf.json` },
      '/catalog/leaf.json': { packageHash: hash('sha512', file, 'base64'), packageHashAlgorithm: 'SHA512' },
    }),
  },
  hackage: {
    name: 'thing-x',
    version: '0.3',
    file: tgz('thing-x-0.3/'),
    path: '/package/thing-x-0.3/thing-x-0.3.tar.gz',
    pages: () => ({}),
  },
  scala: {
    name: 'org.example:thing_3:sources@zip',
    version: '1.0.0',
    file: zip(''),
    path: '/org/example/thing_3/1.0.0/thing_3-1.0.0-sources.zip',
    pages: (_, file) => ({
      '/org/example/thing_3/1.0.0/thing_3-1.0.0-sources.zip.sha1': `${hash('sha1', file)}  thing_3-1.0.0-sources.zip\n`,
    }),
  },
}

const ALL = Object.entries(SHELVES) as [RegistryKind, Shelf][]
const WITH_HASH = ALL.filter(([kind]) => kind !== 'go' && kind !== 'hackage')

async function fetchFrom(
  kind: RegistryKind,
  shelf: Shelf,
  change: { pagesOf?: Buffer; name?: string; version?: string } = {},
) {
  const { url, asked } = await sourceServer((self) => ({
    ...shelf.pages(self, change.pagesOf ?? shelf.file),
    [shelf.path]: shelf.file,
  }))
  const source = {
    type: 'registry' as const,
    kind,
    name: change.name ?? shelf.name,
    version: change.version ?? shelf.version,
  }
  const storage = { ALLOWED_STORAGE: [], REGISTRIES: { [registryOf(kind).key]: [url] } }
  const result = await fetchSource(source, FILES, { storage }).then(
    () => 'taken',
    (error: Error) => error.message,
  )
  return { result, asked }
}

describe('a package of each index', () => {
  test.each(ALL)('%s is the code of its files', async (kind, shelf) => {
    const { result, asked } = await fetchFrom(kind, shelf)
    expect([result, asked.at(-1)]).toEqual(['taken', shelf.path])
  })

  test.each(WITH_HASH)('%s: a file whose hash is not the one of the index is refused', async (kind, shelf) => {
    const { result } = await fetchFrom(kind, shelf, { pagesOf: Buffer.from('another file') })
    expect(result).toMatch(
      /^the \w+ package .*: 127\.0\.0\.1:\d+ sent a file whose sha\d+ is not the one that the registry gives$/,
    )
  })

  test.each(ALL)('%s: a version that is not there', async (kind, shelf) => {
    const { result } = await fetchFrom(kind, shelf, { version: kind === 'go' ? 'v9.9.9' : '9.9.9' })
    expect(result).toMatch(/has no (such version|source distribution)|answers 404/)
  })

  test.each(ALL)('%s: what is no exact name and version asks no registry', async (kind, shelf) => {
    for (const change of [
      { version: 'latest' },
      { version: '^1.0.0' },
      { version: 'file:../x' },
      { name: '../x' },
      { name: 'file:/etc' },
      { name: 'a/../../b' },
      { name: 'git+ssh://x' },
    ]) {
      const { result, asked } = await fetchFrom(kind, shelf, change)
      expect([change, asked]).toEqual([change, []])
      expect(result).toMatch(/is not (the name|one version) of a package/)
    }
  })
})

test('a tarball on another host is not downloaded, nor one at a private address', async () => {
  const page = (tarball: string) => ({ '/a/1.0.0': { version: '1.0.0', dist: { tarball } } })
  for (const [kind, tarball] of [
    ['npm', 'http://169.254.169.254/a.tgz'],
    ['npm', 'https://files.example.org/a.tgz'],
  ] as const) {
    const { url } = await sourceServer(() => page(tarball))
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { 'NODE.JS': [url] } }
    const source = { type: 'registry' as const, kind, name: 'a', version: '1.0.0' }
    await expect(fetchSource(source, FILES, { storage })).rejects.toThrow('is not among the hosts that may be reached')
  }
})

test('without an address of the registry it says which key names one; of two mirrors the second is tried', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const allowed = { ALLOWED_STORAGE: ['npmjs.com'] }
  await expect(fetchSource(source, FILES, { storage: allowed })).rejects.toThrow(
    'name one in REGISTRIES.NODE.JS of config.json',
  )
  const { file, path, pages } = SHELVES.npm
  const { url } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { REGISTRIES: { 'NODE.JS': ['http://127.0.0.1:1', url] } }
  await fetchSource(source, FILES, { storage })
})

test('the address that the client is configured to use serves where the index is allowed, and only where it is public', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const { file, path, pages } = SHELVES.npm
  const { url, asked } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { ALLOWED_STORAGE: ['npmjs.com'], clientRegistries: { npm: url } }
  await expect(fetchSource(source, FILES, { storage })).rejects.toThrow('is not a public address')
  expect(asked).toEqual([])
  const { store } = await fetchSource(source, FILES, {
    storage: { ...storage, ALLOWED_STORAGE: ['npmjs.com', '127.0.0.1'] },
  })
  expect(store.usage().codes).toBe(1)
})

test('a mirror for own services serves no others', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const { file, path, pages } = SHELVES.npm
  const { url } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { ALLOWED_STORAGE: ['npmjs.com'], REGISTRIES: { 'NODE.JS': [{ URL: url, OWN_ONLY: true }] } }
  await expect(fetchSource(source, FILES, { storage })).rejects.toThrow("serve this node's own services alone")
  await fetchSource(source, FILES, { storage, own: true })
})
