import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type ClientKind, clientAccessReader, readClientRegistries } from '../../../src/config/index.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const URL = 'https://mirror.example/index/'
const WITH_LOGIN = 'https://me:p%40ss@mirror.example/index/'
const BASIC = `Basic ${Buffer.from('me:p@ss').toString('base64')}`

async function homeWith(files: Readonly<Record<string, string>>): Promise<string> {
  const home = await tempDir()
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, file)), { recursive: true })
    await writeFile(join(home, file), text)
  }
  return home
}

type Case = readonly [
  kind: ClientKind,
  where: string,
  files: Readonly<Record<string, string>>,
  header: string,
  env?: Readonly<Record<string, string>>,
]
const NETRC =
  'machine other.example login no password no\n# mirror.example\nmachine mirror.example\n  login me\n  password "p@ss"\n'
const COMPOSER = (secrets: object) => ({ '.config/composer/auth.json': JSON.stringify(secrets) })
const CARGO =
  '[source.crates-io]\nreplace-with = "my-own"\n[registries.my-own]\nindex = "sparse+https://mirror.example/index/"\n'
const NUGET = (key: string, login: string) =>
  `<configuration><packageSources><add key="${key}" value="${URL}"/></packageSources><packageSourceCredentials>${login}</packageSourceCredentials></configuration>`
const MAVEN = (password: string) =>
  `<settings><servers><server><id>else</id><username>no</username><password>no</password></server><server><id>m</id><username>me</username><password>${password}</password></server></servers><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>${URL}</url></mirror></mirrors></settings>`

const DOCKER = (registry: string, login: object, more?: object) => ({
  '.docker/config.json': JSON.stringify({ auths: { 'other.example': { auth: 'AAAA' }, [registry]: login }, ...more }),
})
const AUTH = { auth: BASIC.slice('Basic '.length) }

const IN_ADDRESS: readonly Case[] = [
  ['pypi', 'the address', { '.config/pip/pip.conf': `[global]\nindex-url = ${WITH_LOGIN}\n` }, BASIC],
  ['gem', 'the address', { '.gemrc': `:sources:\n- ${WITH_LOGIN}\n` }, BASIC],
  ['go', 'the address', { '.config/go/env': `GOPROXY=${WITH_LOGIN},direct\n` }, BASIC],
  ['hackage', 'the address', { '.cabal/config': `repository mirror\n  url: ${WITH_LOGIN}\n` }, BASIC],
]
const IN_FILES: readonly Case[] = [
  ['pypi', '.netrc', { '.netrc': NETRC }, BASIC],
  ['go', '.netrc', { '.netrc': `macdef init\nmachine mirror.example login no password no\n\n${NETRC}` }, BASIC],
  ['go', 'the default of .netrc', { '.netrc': 'default login me password p@ss' }, BASIC],
  ['pypi', 'the file of NETRC', { secrets: NETRC }, BASIC, { NETRC: 'secrets' }],
  ['gem', "Bundler's file", { '.bundle/config': 'BUNDLE_MIRROR__EXAMPLE: "me:p@ss"\n' }, BASIC],
  ['gem', "Bundler's variable", {}, BASIC, { BUNDLE_MIRROR__EXAMPLE: 'me:p@ss' }],
  [
    'composer',
    'auth.json',
    COMPOSER({ 'http-basic': { 'mirror.example': { username: 'me', password: 'p@ss' } } }),
    BASIC,
  ],
  ['composer', 'a token of auth.json', COMPOSER({ bearer: { 'mirror.example': 'abc' } }), 'Bearer abc'],
  ['composer', 'COMPOSER_AUTH', {}, 'Bearer abc', { COMPOSER_AUTH: '{"bearer":{"mirror.example":"abc"}}' }],
  [
    'cargo',
    'credentials.toml',
    { '.cargo/config.toml': CARGO, '.cargo/credentials.toml': '[registries.my-own]\ntoken = "abc"\n' },
    'abc',
  ],
  ['cargo', 'its variable', { '.cargo/config.toml': CARGO }, 'abc', { CARGO_REGISTRIES_MY_OWN_TOKEN: 'abc' }],
  [
    'nuget',
    'NuGet.Config',
    {
      '.nuget/NuGet/NuGet.Config': NUGET(
        'my source',
        '<my_x0020_source><add key="Username" value="me"/><add key="ClearTextPassword" value="%WORD%"/></my_x0020_source>',
      ),
    },
    BASIC,
    { WORD: 'p@ss' },
  ],
  ['scala', 'settings.xml', { '.m2/settings.xml': MAVEN('p@ss') }, BASIC],
  ['docker', 'config.json', DOCKER('mirror.example', AUTH, { credsStore: 'pass' }), BASIC],
  ['docker', 'an entry of older clients', DOCKER('https://mirror.example/v1/', AUTH), BASIC],
  [
    'docker',
    'the file of DOCKER_CONFIG',
    { 'config.json': DOCKER('mirror.example', AUTH)['.docker/config.json'] },
    BASIC,
    { DOCKER_CONFIG: '' },
  ],
  ['scala', 'a variable', { '.m2/settings.xml': MAVEN('$' + '{env.WORD}') }, BASIC, { WORD: 'p@ss' }],
]

async function envOf([, , files, , env]: Case) {
  const home = await homeWith(files)
  return {
    HOME: home,
    ...env,
    ...(env?.NETRC && { NETRC: join(home, env.NETRC) }),
    ...(env?.DOCKER_CONFIG === '' && { DOCKER_CONFIG: home }),
  }
}

test.for([...IN_ADDRESS, ...IN_FILES])('%s: a login in %s is for this address', async (one) => {
  const [kind, , , header] = one
  const { read } = clientAccessReader(await envOf(one))
  expect((await read(kind, 'a', URL)).authorization).toBe(header)
  for (const other of ['https://else.example/index/', 'https://mirror.example.evil.example/index/']) {
    if (one[1] !== 'the default of .netrc') expect((await read(kind, 'a', other)).authorization).toBeUndefined()
  }
})

test('docker: the login for Docker Hub, which has the name of its index, is for each host of the Hub and for no other', async () => {
  const { read } = clientAccessReader({ HOME: await homeWith(DOCKER('https://index.docker.io/v1/', AUTH)) })
  const loginAt = async (url: string) => (await read('docker', 'a', url)).authorization
  for (const host of ['registry-1.docker.io', 'docker.io', 'index.docker.io'])
    expect(await loginAt(`https://${host}/`)).toBe(BASIC)
  for (const host of ['docker.io.evil.example', 'evildocker.io', 'mirror.example'])
    expect(await loginAt(`https://${host}/`)).toBeUndefined()
  expect(await loginAt('http://registry-1.docker.io/')).toBeUndefined()
  const mirror = clientAccessReader({ HOME: await homeWith(DOCKER('mirror.example', AUTH)) })
  expect((await mirror.read('docker', 'a', 'https://registry-1.docker.io/')).authorization).toBeUndefined()
})

test.for(IN_ADDRESS)('%s: the address is known without its login', async (one) => {
  expect((await readClientRegistries(await envOf(one)))[one[0]]).toBe(URL)
})

test.for([
  ['composer', COMPOSER({ bearer: { 'mirror.example': 'a\r\nhost: evil.example' } })],
  ['composer', { '.config/composer/auth.json': '{' }],
  ['scala', { '.m2/settings.xml': MAVEN('{COQLCE6DU6GtcS5P=}') }],
  ['nuget', { '.nuget/NuGet/NuGet.Config': NUGET('m', '<m><add key="Username" value="me"/></m>') }],
  ['hackage', { '.netrc': NETRC }],
  ['docker', DOCKER('mirror.example', { auth: '' })],
  ['docker', DOCKER('mirror.example', { auth: 'a\r\nhost: evil.example' })],
  ['docker', DOCKER('mirror.example', { ...AUTH, identitytoken: 'abc' })],
  ['docker', DOCKER('mirror.example', {}, { credsStore: 'pass' })],
  ['docker', { '.docker/config.json': '{' }],
] as const)('%s: what is no login that it may send is none: %o', async ([kind, files]) => {
  const { read } = clientAccessReader({ HOME: await homeWith(files) })
  expect((await read(kind, 'a', URL)).authorization).toBeUndefined()
})

test.for([
  ['gem', { '.gemrc': `:sources: [${WITH_LOGIN}]`, '.config/gem/gemrc': ':sources: [' }],
  [
    'composer',
    {
      ...COMPOSER({ 'http-basic': { 'mirror.example': { username: 'me', password: 'p@ss' } } }),
      '.composer/auth.json': '{',
    },
  ],
] as const)('%s: a later file that is broken hides no login of the first', async ([kind, files]) => {
  const { read } = clientAccessReader({ HOME: await homeWith(files) })
  expect((await read(kind, 'a', URL)).authorization).toBe(BASIC)
})

test.for([
  ['pypi', { '.config/pip/pip.conf': '[global]\ncert = ca.pem\n' }],
  ['cargo', { '.cargo/config.toml': '[http]\ncainfo = "ca.pem"\n' }],
  ['gem', { '.gemrc': ':ssl_ca_cert: ~/ca.pem\n' }],
  ['composer', { '.config/composer/config.json': '{"config":{"cafile":"ca.pem"}}' }],
] as const)('%s: authorities of its file; one that cannot be read is named', async ([kind, files]) => {
  const { read } = clientAccessReader({ HOME: await homeWith({ ...files, 'ca.pem': 'AUTHORITY' }) })
  expect((await read(kind, 'a', URL)).authorities).toEqual(['AUTHORITY'])
  const without = clientAccessReader({ HOME: await homeWith(files) })
  await expect(without.read(kind, 'a', URL)).rejects.toThrow(/ca\.pem, which the settings of \w+ name, cannot be read/)
})

test.for([
  ['mirror.example', 'https://mirror.example:5000', false],
  ['mirror.example:5000', 'https://mirror.example:5000', true],
  ['mirror.example', 'http://mirror.example', false],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000', true],
  ['127.0.0.1:5000', 'http://127.0.0.1:5001', false],
] as const)('docker: the login of %s at %s: %s', async ([registry, url, isSent]) => {
  const { read } = clientAccessReader({ HOME: await homeWith(DOCKER(registry, AUTH)) })
  expect((await read('docker', 'team/app', url)).authorization).toBe(isSent ? BASIC : undefined)
})

test('docker: a mirror with a password is none, like for the engine', async () => {
  const settings = JSON.stringify({ 'registry-mirrors': [WITH_LOGIN] })
  const env = { HOME: await homeWith({ '.config/docker/daemon.json': settings }) }
  expect((await readClientRegistries(env)).docker).toBeUndefined()
})
