import { describe, expect, test } from 'vitest'
import { checksumDatabase, h1Of } from '../../../fixtures/code/checksum-database.ts'
import { PACKAGE_FILES, PACKAGES } from '../../../fixtures/code/package-shelves.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

describe('a module of Go with a checksum database', () => {
  const { name, version, file, path } = PACKAGES.go
  const root = `${name}@${version}/`
  const source = { type: 'registry' as const, kind: 'go' as const, name, version }
  const record = (h1: string) => `${name} ${version} ${h1}\n${name} ${version}/go.mod h1:x=\n`
  const honest = record(h1Of(root, PACKAGE_FILES))

  async function taken(
    pages: Record<string, Page>,
    GOSUMDB: string | ((url: string) => string),
  ): Promise<{ result: string; asked: string[] }> {
    const { url, asked } = await sourceServer(() => ({ [path]: file, ...pages }))
    const env = { HOME: await tempDir(), GOSUMDB: typeof GOSUMDB === 'string' ? GOSUMDB : GOSUMDB(url) }
    const result = await fetchSource(source, PACKAGE_FILES, {
      storage: { ALLOWED_STORAGE: [], REGISTRIES: { GO: [url] } },
      env,
    }).then(
      ({ store }) => store.list()[0]?.provenance?.source ?? '',
      (error: Error) => error.message,
    )
    return { result, asked }
  }
  const SUPPORTED = { '/sumdb/db.example/supported': '' }

  test.for([
    [700, 600],
    [700, 3],
    [700, 699],
    [256, 100],
    [1, 0],
    [2, 1],
    [257, 256],
  ] as const)('the proxy answers for it: record %2$i of %1$i is in the signed tree', async ([size, id]) => {
    const { pages, key } = checksumDatabase('db.example', '/sumdb/db.example/', honest, { size, id })
    const { result, asked } = await taken({ ...SUPPORTED, ...pages }, key)
    expect(result).toBe(`the go package ${name} ${version}`)
    expect(asked.length).toBeLessThan(10)
  })

  test('it answers itself; without a key its word is taken', async () => {
    const { pages, key } = checksumDatabase('db.example', '/db/', honest)
    expect((await taken(pages, (url) => `${key} ${url}/db`)).result).toBe(`the go package ${name} ${version}`)
    const { result, asked } = await taken(pages, (url) => `db.example ${url}/db`)
    expect(result).toBe(`the go package ${name} ${version}`)
    expect(asked).not.toContainEqual(expect.stringContaining('/tile/'))
  })

  const other = checksumDatabase('db.example', '/sumdb/db.example/', record('h1:AAAA='))
  const signed = checksumDatabase('db.example', '/sumdb/db.example/', honest)
  const lookup = signed.pages[signed.lookup] as string
  test.for([
    ['other files', other.pages, other.key, 'sent other files than the checksum database has (h1:AAAA=)'],
    ['another key', signed.pages, other.key, 'answers with what its key did not sign'],
    ['a key that is none', signed.pages, 'db.example+00000000+AAAA', 'the key in GOSUMDB is not one'],
    [
      'a record that is not in the tree',
      { ...signed.pages, [signed.lookup]: lookup.replace('h1:x=', 'h1:y=') },
      signed.key,
      'what is not in its signed tree',
    ],
    [
      'a number that is not in the tree',
      { ...signed.pages, [signed.lookup]: lookup.replace('600', '701') },
      signed.key,
      'the record is not in its tree',
    ],
    [
      'half a tile',
      { ...signed.pages, '/sumdb/db.example/tile/8/0/002.p/188': Buffer.alloc(32) },
      signed.key,
      'sends half a tile',
    ],
    ['no tile', { [signed.lookup]: lookup }, signed.key, 'answers 404'],
    ['no such record', {}, signed.key, 'the checksum database db.example has no example.com/Thing/v2 v2.0.1'],
    ['a page', { [signed.lookup]: '<html>' }, signed.key, 'does not answer about example.com/Thing/v2 v2.0.1'],
    ['an endless answer', { [signed.lookup]: 'x'.repeat(100_000) }, signed.key, 'sends more than the 64 KiB'],
  ] as const)('that has %s ends it', async ([, pages, key, sentence]) => {
    expect((await taken({ ...SUPPORTED, ...pages }, key)).result).toContain(sentence)
  })

  test('at a host that is not public it is not asked, unless it is the mirror itself', async () => {
    const { url: private_, asked } = await sourceServer(() => signed.pages)
    const { result } = await taken({}, `${signed.key} ${private_}`)
    expect(result).toMatch(/127\.0\.0\.1.* not a public address/)
    expect(asked).toEqual([])
  })
})
