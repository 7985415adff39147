import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { RegistryKind } from '../../../../protocols/registries.ts'
import { registryOf } from '../../../../src/config/index.ts'
import { PACKAGE_FILES, PACKAGES, type PackageShelf } from '../../../fixtures/code/package-shelves.ts'
import { fetchSource, sourceServer } from '../../../fixtures/code/source-server.ts'

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
    await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow(
      'is not among the hosts that may be reached',
    )
  }
})

test('where the registry gives no checksum, or a SHA-1 alone, that is noted with where the code came from', async () => {
  const { file, path, name, version, pages } = PACKAGES.npm
  const sum = (algorithm: string, encoding: 'hex' | 'base64') => createHash(algorithm).update(file).digest(encoding)
  for (const [dist, note] of [
    [{}, ', of which the registry gives no checksum'],
    [{ shasum: sum('sha1', 'hex') }, ', of which the registry gives only a SHA-1'],
    [{ integrity: `sha512-${sum('sha512', 'base64')}` }, ''],
  ] as const) {
    const { url } = await sourceServer((self) => ({
      ...pages(self, file),
      '/@scope%2fthing/1.2.3': { version, dist: { tarball: `${self}${path}`, ...dist } },
      [path]: file,
    }))
    const storage = { ALLOWED_STORAGE: [], REGISTRIES: { 'NODE.JS': [url] } }
    const { store } = await fetchSource({ type: 'registry', kind: 'npm', name, version }, PACKAGE_FILES, { storage })
    const [stored] = store.list()
    expect(stored?.provenance?.source).toBe(`the npm package ${name} ${version}${note}`)
  }
})

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
  await expect(fetchSource(source, PACKAGE_FILES, { storage })).rejects.toThrow('is not a public address')
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
