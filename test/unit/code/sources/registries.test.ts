import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { RegistryKind } from '../../../../protocols/registries.ts'
import { isRetryable } from '../../../../src/base/errors.ts'
import { registryOf } from '../../../../src/config/index.ts'
import { sourceText } from '../../../../src/services/source-text.ts'
import { PACKAGE_FILES, PACKAGES, type PackageShelf } from '../../../fixtures/code/package-shelves.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { rawTar } from '../raw-tar.ts'
import { zipOf } from './zips.ts'

const ALL = Object.entries(PACKAGES) as [RegistryKind, PackageShelf][]
const WITH_HASH = ALL.filter(([kind]) => kind !== 'go' && kind !== 'hackage')

async function fetchFrom(
  kind: RegistryKind,
  shelf: PackageShelf,
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
  const result = await fetchSource(source, PACKAGE_FILES, { storage }).then(
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
    expect(result).toMatch(/no (such version|source distribution|package)|answers 404/)
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

describe('a package of pypi without a source distribution', () => {
  const wheel = zipOf(PACKAGE_FILES.map(({ path, content }) => ({ name: path, content })))
  const outcomeOf = async (...names: string[]) => {
    const { url } = await sourceServer(() => ({
      '/thing/': {
        files: names.map((filename) => ({
          filename,
          url: `/${filename}`,
          hashes: { sha256: createHash('sha256').update(wheel).digest('hex') },
        })),
      },
      ...Object.fromEntries(names.map((name) => [`/${name}`, wheel])),
    }))
    const source = { type: 'registry' as const, kind: 'pypi' as const, name: 'thing', version: '1.0' }
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { PYTHON: [url] } }
    return await fetchSource(source, PACKAGE_FILES, { storage }).then(
      () => 'taken',
      (error: Error) => error.message,
    )
  }

  test('is its only wheel for all platforms', async () => {
    const others = ['thing-1.0-cp313-cp313-linux_x86_64.whl', 'thing-1.1-py3-none-any.whl']
    expect(await outcomeOf(...others, 'thing-1.0-py3-none-any.whl')).toBe('taken')
  })

  test.for([
    [['thing-1.0-cp313-cp313-linux_x86_64.whl', 'thing-1.0-cp313-cp313-win_amd64.whl']],
    [['thing-1.0-py3-none-any.whl', 'Thing-1.0-py3-none-any.whl']],
    [[]],
  ])('with the wheels %j is refused', async ([names]) => {
    const sentence = 'it has no source distribution, and not one wheel for all platforms'
    expect(await outcomeOf(...(names as string[]))).toContain(sentence)
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
    await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(
      'is not among the hosts that may be reached',
    )
  }
})

test('where the registry gives no checksum, or a SHA-1 alone, that is noted with where the code came from', async () => {
  const { file, path, name, version, pages } = PACKAGES.npm
  const sum = (algorithm: string, encoding: 'hex' | 'base64') => createHash(algorithm).update(file).digest(encoding)
  for (const [dist, checksum] of [
    [{}, 'none'],
    [{ shasum: sum('sha1', 'hex') }, 'sha1'],
    [{ integrity: `sha512-${sum('sha512', 'base64')}` }, undefined],
  ] as const) {
    const { url } = await sourceServer((self) => ({
      ...pages(self, file),
      '/@scope%2fthing/1.2.3': { version, dist: { tarball: `${self}${path}`, ...dist } },
      [path]: file,
    }))
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { 'NODE.JS': [url] } }
    const { store } = await fetchSource({ type: 'registry', kind: 'npm', name, version }, PACKAGE_FILES, { storage })
    const [stored] = store.list()
    expect(stored?.provenance).toMatchObject({ source: `the npm package ${name} ${version}` })
    expect(stored?.provenance?.checksum).toBe(checksum)
  }
})

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const OTHER_COMMIT = 'f'.repeat(40)
test.each<[string, Record<string, object>, string]>([
  [
    'no checksum, but a commit',
    { source: { type: 'git', reference: COMMIT }, dist: { shasum: '', reference: COMMIT } },
    `, of which the registry gives no checksum; it names the commit ${COMMIT}`,
  ],
  [
    'no checksum, and a commit that the archive is not made of',
    { source: { type: 'git', reference: COMMIT }, dist: { shasum: '', reference: OTHER_COMMIT } },
    ', of which the registry gives no checksum',
  ],
  [
    'no checksum, and what is no commit',
    { source: { type: 'git', reference: 'main' }, dist: { shasum: '' } },
    ', of which the registry gives no checksum',
  ],
  ['neither', { dist: {} }, ', of which the registry gives no checksum'],
  [
    'a SHA-1, which is checked, and a commit',
    {
      source: { type: 'git', reference: COMMIT },
      dist: { shasum: createHash('sha1').update(PACKAGES.composer.file).digest('hex') },
    },
    ', of which the registry gives only a SHA-1',
  ],
])(
  'a package of composer with %s: what is noted with where the code came from',
  async (_, { dist, ...about }, note) => {
    const { file, path, name, version } = PACKAGES.composer
    const { url } = await sourceServer((self) => ({
      '/packages.json': {},
      [`/p2/${name}.json`]: { packages: { [name]: [{ version, ...about, dist: { url: `${self}${path}`, ...dist } }] } },
      [path]: file,
    }))
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { PHP: [url] } }
    const { store } = await fetchSource({ type: 'registry', kind: 'composer', name, version }, PACKAGE_FILES, {
      storage,
    })
    expect(sourceText(store.list()[0]?.provenance ?? {})).toBe(`the composer package ${name} ${version}${note}`)
  },
)

test('without an address of the registry it says which key names one; of two mirrors the second is tried', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const allowed = { ALLOWED_STORAGE: ['npmjs.com'] }
  await expect(fetchSource(source, PACKAGE_FILES, { storage: allowed })).rejects.toThrow(
    'name one in REGISTRIES.NODE.JS of config.json',
  )
  const { file, path, pages } = PACKAGES.npm
  const { url } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { REGISTRIES: { 'NODE.JS': ['http://127.0.0.1:1', url] } }
  await fetchSource(source, PACKAGE_FILES, { storage })
})

test('the address that the client is configured to use serves where the index is allowed, and only where it is public', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const { file, path, pages } = PACKAGES.npm
  const { url, asked } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { ALLOWED_STORAGE: ['npmjs.com'], clientRegistries: { npm: url } }
  await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(
    '127.0.0.1 is not a public address; such an address must be listed itself in ALLOWED_STORAGE',
  )
  expect(asked).toEqual([])
  const { store } = await fetchSource(source, PACKAGE_FILES, {
    storage: { ...storage, ALLOWED_STORAGE: ['npmjs.com', '127.0.0.1'] },
  })
  expect(store.usage().codes).toBe(1)
})

test('a mirror for own services serves no others', async () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: '@scope/thing', version: '1.2.3' }
  const { file, path, pages } = PACKAGES.npm
  const { url } = await sourceServer((self) => ({ ...pages(self, file), [path]: file }))
  const storage = { ALLOWED_STORAGE: ['npmjs.com'], REGISTRIES: { 'NODE.JS': [{ URL: url, OWN_ONLY: true }] } }
  await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow("serve this node's own services alone")
  await fetchSource(source, PACKAGE_FILES, { storage, own: true })
})

describe('a hostile registry', () => {
  const source = { type: 'registry' as const, kind: 'npm' as const, name: 'a', version: '1.0.0' }
  const other = rawTar({ path: 'package/other', content: 'x' })
  const integrity = `sha512-${createHash('sha512').update(other).digest('base64')}`
  const written = (response: ServerResponse, piece: string, times: number) => {
    let left = times
    const more = () => (left-- > 0 ? response.write(piece, (error) => error ?? more()) : response.end())
    more()
  }

  test.each<[string, Page, RegExp]>([
    [
      'has another package there, and its right hash',
      { version: '1.0.0', dist: { tarball: '/t', integrity } },
      /has other files: they are the code bafy/,
    ],
    [
      'gives a hash that is none',
      { version: '1.0.0', dist: { tarball: '/t', integrity: 'sha512-xx' } },
      /has other files/,
    ],
    ['gives another version', { version: '1.0.1', dist: { tarball: '/t', integrity } }, /there is no such version/],
    ['gives no object', [1], /there is no such version/],
    [
      'gives an address of another kind',
      { version: '1.0.0', dist: { tarball: 'file:///etc/passwd' } },
      /its file has no address/,
    ],
    [
      'names a private address',
      { version: '1.0.0', dist: { tarball: 'http://10.0.0.1/a.tgz' } },
      /10\.0\.0\.1:80 is not among the hosts/,
    ],
    [
      'sends a document of 1 GB',
      (response) => written(response, ' '.repeat(1024 * 1024), 1024),
      /sends more than the 64 MiB/,
    ],
    [
      'sends a document of lists in lists',
      (response) => written(response, '['.repeat(1024 * 1024), 60),
      /does not answer with JSON|more memory/,
    ],
    [
      'sends a document of many objects',
      (response) => written(response, `[${'{"a":{}},'.repeat(100_000)}0],`.repeat(1), 60),
      /does not answer with JSON|more memory/,
    ],
    ['sends no JSON', '<html>', /does not answer with JSON at \/a\/1\.0\.0/],
  ])('that %s ends in one sentence', async (_, page, message) => {
    const { url } = await sourceServer(() => ({ '/a/1.0.0': page, '/t': other }))
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { 'NODE.JS': [url] } }
    const failure = fetchSource(source, PACKAGE_FILES, { storage })
    await expect(failure).rejects.toThrow(message)
    expect(isRetryable(await failure.catch((error: unknown) => error))).toBe(false)
  })

  test.each([
    'npm:b@1.0.0',
    'https://a.example/t.tgz',
    'git+ssh://a@b/c',
    'file:..',
    '1.x',
    '>=1.0.0',
    'next',
    '1.0.0 || 2',
    ' 1.0.0',
    '1.0.0\n',
  ])('the version %j is none', async (version) => {
    const { url, asked } = await sourceServer(() => ({}))
    const storage = { REGISTRIES: { 'NODE.JS': [url] } }
    await expect(fetchSource({ ...source, version }, PACKAGE_FILES, { storage })).rejects.toThrow('name it exactly')
    expect(asked).toEqual([])
  })
})
