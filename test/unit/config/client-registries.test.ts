import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { RegistryKind } from '../../../protocols/registries.ts'
import {
  clientAccessReader,
  imageAddresses,
  readClientRegistries,
  readPolicy,
  registryAddresses,
} from '../../../src/config/index.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const URL = 'https://mirror.example/index/'

/** What a person's files say, and what is read of them; `file` is below the home folder. */
type Case = readonly [kind: RegistryKind | 'docker' | '@team', file: string, text: string, read?: string]
const FILES: readonly Case[] = [
  ['docker', '.config/docker/daemon.json', JSON.stringify({ 'registry-mirrors': [URL, 'https://second.example/'] })],
  ['@team', '.npmrc', `registry=https://else.example/\n@team:registry=${URL}\n`],
  ['gem', '.bundle/config', `---\nBUNDLE_MIRROR__ALL: "${URL}"\n`],
  [
    'cargo',
    '.cargo/config.toml',
    `[source.crates-io]\nreplace-with = "mine"\n[registries.mine]\nindex = "sparse+${URL}"\n`,
  ],
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

const encoded = (text: string) => Buffer.from(text).toString('base64')
test.for([
  ['a token', '//mirror.example/index/:_authToken=abc', 'Bearer abc'],
  ['a token of the environment', '//mirror.example/:_authToken=$' + '{TOKEN}', 'Bearer from-env'],
  [
    'a name and a password',
    `//mirror.example/:username=me\n//mirror.example/:_password=${encoded('p')}`,
    `Basic ${encoded('me:p')}`,
  ],
  ['both in one', `//mirror.example/index/:_auth=${encoded('me:p')}`, `Basic ${encoded('me:p')}`],
  ['of another port', '//mirror.example:8443/index/:_authToken=abc', undefined],
  ['of a folder below', '//mirror.example/index/more/:_authToken=abc', undefined],
  ['of another host', '//other.example/:_authToken=abc', undefined],
] as const)('npm: credentials, %s', async ([, lines, authorization]) => {
  const env = { HOME: await homeWith(['.npmrc', `${lines}\nca="AUTHORITY"\n`]), TOKEN: 'from-env' }
  expect(await clientAccessReader(env).read('npm', 'a', URL)).toEqual({ authorization, authorities: ['AUTHORITY'] })
})

test('npm: the authorities of a cafile; one that cannot be read is named', async () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----'
  const home = await homeWith(['ca.pem', `${pem}\n${pem}\n`], ['.npmrc', 'cafile=$' + '{HOME}/ca.pem\n'])
  const { authorities } = await clientAccessReader({ HOME: home }).read('npm', 'a', URL)
  expect(authorities).toEqual([pem, pem])
  const wrong = await homeWith(['.npmrc', 'cafile=$' + '{HOME}\n'])
  await expect(clientAccessReader({ HOME: wrong }).read('npm', 'a', URL)).rejects.toThrow("npm's cafile cannot be read")
})

test.for([
  ['db.example', {}, { name: 'db.example', url: 'https://db.example' }],
  ['db.example+0a0b0c0d+AAAA', {}, { name: 'db.example', url: 'https://db.example', key: 'db.example+0a0b0c0d+AAAA' }],
  ['db.example http://127.0.0.1:3/x', {}, { name: 'db.example', url: 'http://127.0.0.1:3/x' }],
  ['off', {}, undefined],
  ['db.example', { GONOSUMDB: 'a.example,*.corp.example/team' }, undefined],
  ['db.example', { GOPRIVATE: 'git.corp.example' }, undefined],
  [
    'db.example',
    { GOPRIVATE: 'git.corp.example', GONOSUMDB: 'a.example' },
    { name: 'db.example', url: 'https://db.example' },
  ],
] as const)('go: GOSUMDB=%s with %o', async ([GOSUMDB, more, checksumDatabase]) => {
  const module = 'git.corp.example/team/tool'
  const home = await homeWith(['.config/go/env', `GOSUMDB=${GOSUMDB}\n`])
  for (const env of [{ HOME: home }, { HOME: await homeWith(), GOSUMDB }]) {
    expect(await clientAccessReader({ ...env, ...more }).read('go', module, URL)).toEqual({ checksumDatabase })
  }
})

test('go: a GOSUMDB that is none says so', async () => {
  const { read } = clientAccessReader({ HOME: await homeWith(), GOSUMDB: 'a b c' })
  await expect(read('go', 'm.example', URL)).rejects.toThrow('GOSUMDB is "a b c"; allowed is')
})

test('what is broken or is no address over HTTP has none, and the others are read', async () => {
  const home = await homeWith(
    ['.npmrc', 'registry=ssh://mirror.example/\n'],
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
  const found = registryAddresses(config, { kind: 'npm', name: 'a' }, { own, clients })
  if ('refused' in found) expect(found.refused).toMatch(expected as string | RegExp)
  else expect(found.map(({ url }) => url)).toEqual(expected)
})

test('a scope of npm has its own address, and other packages have not', () => {
  const { config } = readPolicy({ ALLOWED_STORAGE: ['npmjs.com'] }).policy
  const scoped = { ...clients, '@team': 'https://team.example/' }
  const at = (name: string) => registryAddresses(config, { kind: 'npm', name }, { own: false, clients: scoped })
  expect([at('@team/a'), at('@teams/a'), at('a')]).toMatchObject([
    [{ url: 'https://team.example/' }],
    [{ url: URL }],
    [{ url: URL }],
  ])
})

test("Docker's mirror serves its default registry alone, where that is allowed", () => {
  const { config } = readPolicy({ ALLOWED_STORAGE: ['docker.io', 'registry.example.org'] }).policy
  const at = (ref: string) => imageAddresses(config, ref, { own: false, clients: { docker: URL } })
  expect([at('nginx:1'), at('registry.example.org/a/b:1')]).toMatchObject([
    [{ url: URL, mirror: false }],
    [{ url: 'https://registry.example.org' }],
  ])
  const none = imageAddresses(readPolicy({}).policy.config, 'nginx:1', { own: false, clients: { docker: URL } })
  expect(none).toMatchObject({ refused: expect.stringContaining('not in ALLOWED_STORAGE') })
})

test('an index without any address names the key that gives it one', () => {
  const { config } = readPolicy({ ALLOWED_STORAGE: ['crates.io'] }).policy
  expect(registryAddresses(config, { kind: 'cargo', name: 'a' }, { own: false })).toMatchObject({
    refused: 'no address of the cargo registry is known: name one in REGISTRIES.RUST of config.json',
  })
})
