import { mkdir, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { RegistryKind } from '../../../../protocols/registries.ts'
import { registryOf } from '../../../../src/config/index.ts'
import { PACKAGE_FILES, PACKAGES } from '../../../fixtures/code/package-shelves.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const BASIC = `Basic ${Buffer.from('me:secret').toString('base64')}`
const NETRC = { '.netrc': 'machine 127.0.0.1 login me password secret\n' }
const inAddress = (url: string) => url.replace('//', '//me:secret@')

/** What a person with a login at `url` has written. */
const LOGINS: readonly (readonly [
  kind: RegistryKind,
  files: (url: string) => Record<string, string>,
  header?: string,
])[] = [
  ['pypi', () => NETRC],
  ['go', () => NETRC],
  ['gem', (url) => ({ '.gemrc': `:sources:\n- ${inAddress(url)}\n` })],
  ['hackage', (url) => ({ '.cabal/config': `repository mirror\n  url: ${inAddress(url)}\n` })],
  [
    'cargo',
    (url) => ({
      '.cargo/config.toml': `[registries.own]\nindex = "sparse+${url}/"\n`,
      '.cargo/credentials.toml': '[registries.own]\ntoken = "secret"\n',
    }),
    'secret',
  ],
  [
    'composer',
    (url) => ({ '.config/composer/auth.json': JSON.stringify({ bearer: { [new URL(url).host]: 'secret' } }) }),
    'Bearer secret',
  ],
]

test.for(LOGINS)(
  '%s: the login of the person serves own services alone, at its origin alone',
  async ([kind, files, header]) => {
    const { file, path, name, version, pages } = PACKAGES[kind]
    const other = await sourceServer(() => ({ '/file': file }))
    const { url } = await sourceServer((self) => {
      const asked = (page: Page) => (response: ServerResponse) => {
        if (response.req.headers.authorization !== (header ?? BASIC)) return void response.writeHead(401).end()
        if (typeof page === 'function') return page(response)
        response.end(typeof page === 'string' || page instanceof Uint8Array ? page : JSON.stringify(page))
      }
      const moved = (response: ServerResponse) => response.writeHead(302, { location: `${other.url}/file` }).end()
      const all: Record<string, Page> = { ...pages(self, file), [path]: moved }
      return Object.fromEntries(Object.entries(all).map(([at, page]) => [at, asked(page)]))
    })
    const home = await tempDir()
    for (const [at, text] of Object.entries(files(url))) {
      await mkdir(dirname(join(home, at)), { recursive: true })
      await writeFile(join(home, at), text)
    }
    const storage = { REGISTRIES: { [registryOf(kind).key]: [url] }, ALLOWED_STORAGE: ['127.0.0.1'] }
    const source = { type: 'registry' as const, kind, name, version }
    const options = { storage, env: { HOME: home } }
    await expect(fetchSource(source, PACKAGE_FILES, options)).rejects.toThrow(/to nobody without a login; put one into/)
    const { store } = await fetchSource(source, PACKAGE_FILES, { ...options, own: true })
    expect(store.usage().codes).toBe(1)
    expect(other.headers.map(({ authorization }) => authorization)).toEqual([undefined])
  },
)
