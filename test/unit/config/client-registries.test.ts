import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { RegistryKind } from '../../../protocols/registries.ts'
import { readClientRegistries, readPolicy, registryAddresses } from '../../../src/config/index.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const URL = 'https://mirror.example/index/'

/** What a person's files say, and what is read of them; `file` is below the home folder. */
type Case = readonly [kind: RegistryKind, file: string, text: string, read?: string]
const FILES: readonly Case[] = [
  ['npm', '.npmrc', `registry=${URL}\n`],
  ['pypi', '.config/pip/pip.conf', `[global]\ntimeout = 60\nindex-url = ${URL}\n`],
  ['pypi', '.pip/pip.conf', `[global]\nindex-url=${URL}\n`],
  [
    'cargo',
    '.cargo/config.toml',
    `[source.crates-io]\nreplace-with = "a"\n[source.a]\nreplace-with = "b"\n[source.b]\nregistry = "sparse+${URL}"\n`,
  ],
  ['gem', '.gemrc', `---\n:sources:\n- ${URL}\n- https://second.example/\n:verbose: true\n`],
  ['go', '.config/go/env', `GOFLAGS=-mod=mod\nGOPROXY=${URL},direct\n`],
  ['composer', '.config/composer/config.json', JSON.stringify({ repositories: { p: { type: 'composer', url: URL } } })],
  [
    'composer',
    '.composer/config.json',
    JSON.stringify({ repositories: [{ type: 'vcs' }, { type: 'composer', url: URL }] }),
  ],
  [
    'nuget',
    '.nuget/NuGet/NuGet.Config',
    `<configuration><packageSources><clear/><add key="folder" value="/srv"/><add key="off" value="https://off.example/"/><add key="m" value="${URL}"/></packageSources><disabledPackageSources><add key="off" value="true"/></disabledPackageSources></configuration>`,
  ],
  [
    'hackage',
    '.cabal/config',
    `-- a comment\nrepository mirror\n  secure: True\n  -- url: https://no.example/\n  url: ${URL}\n`,
  ],
  [
    'scala',
    '.m2/settings.xml',
    `<settings><mirrors><mirror><mirrorOf>other</mirrorOf><url>https://no.example/</url></mirror><mirror><mirrorOf>*,!own</mirrorOf><url>${URL}</url></mirror></mirrors></settings>`,
  ],
]

async function homeWith(...files: readonly (readonly [string, string])[]): Promise<string> {
  const home = await tempDir()
  for (const [file, text] of files) {
    await mkdir(dirname(join(home, file)), { recursive: true })
    await writeFile(join(home, file), text)
  }
  return home
}

test.for(FILES)('%s: %s says where it downloads from', async ([kind, file, text]) => {
  const read = await readClientRegistries({ HOME: await homeWith([file, text]) })
  expect(read[kind]).toBe(URL)
})

test.for([
  ['pypi', { PIP_INDEX_URL: URL }],
  ['go', { GOPROXY: `off|${URL}` }],
  ['npm', { npm_config_registry: URL }],
] as const)('%s: the environment goes before the file', async ([kind, env]) => {
  const home = await homeWith(...FILES.map(([, file, text]) => [file, text.replaceAll('mirror.', 'file.')] as const))
  expect((await readClientRegistries({ HOME: home, ...env }))[kind]).toBe(URL)
})

test('what is broken, has a password or is no address over HTTP has none, and the others are read', async () => {
  const home = await homeWith(
    ['.npmrc', 'registry=https://person:secret@mirror.example/\n'],
    ['.cargo/config.toml', 'source = ['],
    ['.m2/settings.xml', '<settings><mirrors>'],
    ['.gemrc', ':sources: [ftp://mirror.example/]'],
    ['.config/go/env', `GOPROXY=${URL}`],
  )
  expect(await readClientRegistries({ HOME: home })).toEqual({ go: URL })
  expect(await readClientRegistries({})).toEqual({})
})

const clients = { npm: URL }
const OWN_ONLY = [{ URL: 'https://own.example/', OWN_ONLY: true }]
test.for([
  ['a mirror goes before the client', ['npmjs.com'], ['https://m.example/'], false, ['https://m.example/']],
  ['the client, where the index is allowed', ['npmjs.com'], [], false, [URL]],
  ['below an entry', ['com'], [], false, [URL]],
  [
    'an index that is not allowed',
    ['evilnpmjs.com'],
    [],
    false,
    'may not download from npmjs.com: not in ALLOWED_STORAGE',
  ],
  ['own services alone', [], OWN_ONLY, true, ['https://own.example/']],
  ['a stranger', [], OWN_ONLY, false, 'may not download from npmjs.com: not in ALLOWED_STORAGE'],
  ['a stranger, and an address for all', [], [...OWN_ONLY, 'https://m.example/'], false, ['https://m.example/']],
  ['for all after all', [], [{ URL, OWN_ONLY: false }], false, [URL]],
  [
    'a stranger, by the client',
    ['npmjs.com'],
    [{ URL, OWN_ONLY: true }],
    false,
    /^no address of the npm .* serve this node's own services alone$/,
  ],
] as const)('%s', ([, storage, mirrors, own, expected]) => {
  const { config } = readPolicy({ ALLOWED_STORAGE: storage, REGISTRIES: { NODE: mirrors } }).policy
  const found = registryAddresses(config, 'npm', { own, clients })
  if ('refused' in found) expect(found.refused).toMatch(expected as string | RegExp)
  else expect(found.map(({ url }) => url)).toEqual(expected)
})

test('an index without any address names the key that gives it one', () => {
  const { config } = readPolicy({ ALLOWED_STORAGE: ['crates.io'] }).policy
  expect(registryAddresses(config, 'cargo', { own: false })).toMatchObject({
    refused: 'no address of the cargo registry is known: name one in REGISTRIES.RUST of config.json',
  })
})
