import { chmod, chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import {
  initFolder,
  jsonSchemaOf,
  loadConfiguration,
  loadDockerOptions,
  loadEndpoint,
  readPolicy,
} from '../../../src/config/index.ts'
import { MAX_RUNTIME_DIR_BYTES, openRuntimeDir } from '../../../src/config/runtime-dir.ts'
import { folder, it, operatorFolder, ROOT, sentenceOf as sentenceOfError } from '../../fixtures/config/folder.ts'
import { needs } from '../../require.ts'

async function sentenceOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InputError)
  return (error as Error).message
}

it('an operator folder fresh from init can run something, without complaints', async ({ operator: temp }) => {
  const { configuration, notices } = await loadConfiguration(temp.dir)
  expect(notices).toEqual([])
  expect(configuration).toMatchObject({
    dir: temp.dir,
    network: 'thundercloud',
    visibility: 'public',
    listen: ['/ip4/0.0.0.0/tcp/4980'],
    api: { host: '127.0.0.1', port: 4981 },
    dataDir: temp.in('node', 'data'),
    logLevel: 'info',
    quotas: { SERVICES_PER_AUTHOR: 64, NEW_PER_AUTHOR_PER_MINUTE: 4 },
    timeouts: { VERDICT: 2 },
    services: [],
    runner: { entry: temp.in('node', 'runners/andromeda/runner.js'), network: false },
  })
  expect(configuration.policy.config.LIMITS).toEqual({
    TOTAL: { MEMORY: 2 * 1024 ** 3, CPU: 2000, DISK: 10 * 1024 ** 3, PIDS: 1024, RUNS: 16 },
    SERVICE: { MEMORY: 512 * 1024 ** 2, CPU: 1000, DISK: 1024 ** 3, PIDS: 256, TIMEOUT: undefined },
    EVICT: false,
    HEALTHY_SECONDS: 10,
    HEALTHY_DEADLINE: 60,
    CHECK: { INTERVAL: 10, TIMEOUT: 5, FAILURES: 3 },
    RESULTS: { BYTES: 1024 ** 3, SECONDS: 7 * 24 * 3600 },
    BACKOFF: { FIRST: 1, MAX: 300 },
    WARM: { 'node.js': [], GATEWAYS: 0 },
  })
  // it crosses to the runner's process as JSON
  const crossed: unknown = JSON.parse(JSON.stringify(configuration.policy.config))
  expect(crossed).toEqual(configuration.policy.config)
})

it("an operator folder: the seed's sample loads unchanged, its misspelled address reported", async () => {
  const { configuration, notices } = await loadConfiguration(join(ROOT, 'configs/examples/seed'))
  const { config, staticNodes } = configuration.policy
  const file = 'runners/dev_andromeda/config.json'
  expect(notices.map(({ message }) => message)).toEqual([
    `${file}: STATIC_NODES has "htts://api-klyntar.coinbase.com", which begins with neither http:// nor https://; it is left out`,
    `${file}: LIMITS grants no TOTAL.MEMORY, TOTAL.CPU, TOTAL.PIDS, TOTAL.RUNS, so nothing runs here`,
  ])
  expect(staticNodes).toEqual({ multiaddrs: [], origins: ['https://someklyntarpool.io'] })
  expect(Object.keys(config.TRUSTED_HUBS)).toContain('HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV')
  expect(config.QUORUM).toEqual({ HUBS: 2, WEIGHT: 0 })
  expect(config.REDIRECTION_DEPTH).toBe(3)
  const registries = { 'NODE.JS': ['https://localhost:4873'], DOCKER: ['https://localhost:5000'] }
  expect(config.REGISTRIES).toEqual({ ...registries, PYTHON: [], RUST: [] })
  expect(config.CONTAINERS).toHaveLength(2)
  const engine = { protocol: 'http', host: 'localhost', port: 2375 }
  expect(await loadDockerOptions(configuration.dir, config)).toEqual(engine)
})

it('an operator folder: the example of an operator', async () => {
  const { configuration, notices } = await loadConfiguration(join(ROOT, 'configs/examples/operator'))
  expect(notices).toEqual([])
  expect(configuration.services).toEqual([
    { name: 'hello-web', kind: 'dir', path: join(ROOT, 'configs/examples/hello-web'), publish: true },
  ])
  expect(configuration.policy.staticNodes).toEqual({
    multiaddrs: ['/dns4/seed.example.org/tcp/4980'],
    origins: ['https://node.example.net'],
  })
})

it('an operator folder: an empty policy runs nothing and passes nothing on', () => {
  const { policy, notices } = readPolicy({})
  expect(policy.config).toMatchObject({
    REDIRECTION_DEPTH: 0,
    PREFER_TOOLCHAIN: { docker: [], host: [] },
    TRUST_TREE: { ROOTS: {} },
    NETCAP: { MODE: 'none' },
    ALLOWED_STORAGE: [],
    LIMITS: { TOTAL: { MEMORY: 0, RUNS: 0 }, SERVICE: { MEMORY: 0 } },
  })
  expect(notices.map(({ key }) => key)).toEqual(['PREFER_TOOLCHAIN', 'LIMITS'])
})

it('an operator folder: names a policy by what it means, not by how it is spelled', () => {
  const hash = (raw: object) => readPolicy(raw).policy.hash
  const first = hash({ LIMITS: { TOTAL: { MEMORY: '1GiB' } }, PREFER_TOOLCHAIN: { docker: ['node'] } })
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  const PREFER_TOOLCHAIN = { docker: ['Node.js', 'nodejs'] }
  expect(hash({ $schema: 'x', PREFER_TOOLCHAIN, LIMITS: { TOTAL: { MEMORY: 1024 ** 3 } } })).toBe(first)
  expect(hash({ LIMITS: { TOTAL: { MEMORY: '2GiB' } }, PREFER_TOOLCHAIN: { docker: ['node'] } })).not.toBe(first)
})

it.each(['NODE.JS', 'node', 'Docker', 'c#', 'Golang', 'npm', 'C', 'nodexjs'])(
  'the JSON Schema takes the key %j of REGISTRIES where the node does',
  (key) => {
    const { properties } = jsonSchemaOf('runner') as {
      properties: { REGISTRIES: { propertyNames: { pattern: string } } }
    }
    const loads = sentenceOfError(() => readPolicy({ REGISTRIES: { [key]: [] } })) === 'was accepted'
    expect(new RegExp(properties.REGISTRIES.propertyNames.pattern).test(key)).toBe(loads)
  },
)

it('an operator folder: reports names of older runners and words that no executor knows', () => {
  const { notices } = readPolicy({ MUST_SEND: ['x'], SEND_TO_STATIC: true, PREFER_TOOLCHAIN: { docker: ['cobol'] } })
  expect(notices.map(({ message }) => message)).toEqual([
    'config.json: MUST_SEND is a name of older runners and has no effect; REDIRECT and STATIC_NODES took its place',
    'config.json: SEND_TO_STATIC is a name of older runners and has no effect; REDIRECT and STATIC_NODES took its place',
    'config.json: PREFER_TOOLCHAIN has "cobol", which no executor here knows',
    'config.json: LIMITS grants no TOTAL.MEMORY, TOTAL.CPU, TOTAL.PIDS, TOTAL.RUNS, so nothing runs here',
  ])
})

it.each([
  [
    { docker: ['python'] },
    ['config.json: LIMITS has WARM, but PREFER_TOOLCHAIN names no node.js, so nothing is kept warm'],
  ],
  [{ docker: ['node.js'] }, []],
  [{ docker: ['python'], host: ['node.js'] }, []],
])('an operator folder: reports what is kept warm where nothing runs: %j', (PREFER_TOOLCHAIN, expected) => {
  const TOTAL = { MEMORY: '1GiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 4 }
  const CLASS = { COUNT: 1, MEMORY: '96MiB', DISK: '8MiB', PIDS: 32 }
  const { notices } = readPolicy({ PREFER_TOOLCHAIN, LIMITS: { TOTAL, WARM: { 'node.js': [CLASS] } } })
  expect(notices.map(({ message }) => message)).toEqual(expected)
})

it('what is wrong with a folder: is said in one sentence', async ({ temp }) => {
  const dir = temp.in('node')
  const load = () => sentenceOf(loadConfiguration(dir))
  expect(await load()).toBe(`${dir} is no folder; run \`thundercloud init ${dir}\` to make one`)
  await mkdir(dir)
  expect(await load()).toBe(
    `node.json is not there (${join(dir, 'node.json')}); run \`thundercloud init ${dir}\` to make one`,
  )
  await rm(dir, { recursive: true })
  await initFolder(dir)

  const write = (name: string, text: string) => writeFile(join(dir, name), text)
  await write('node.json', '{\n  "NETWORK": "a"\n  "LISTEN": []\n}')
  expect(await load()).toBe('node.json is not JSON: line 3, column 3: found "\\"" where "," or "}" should be')
  await write('node.json', ' '.repeat(1024 * 1024 + 1))
  expect(await load()).toBe('node.json has 1048577 bytes; allowed are at most 1048576 (1 MiB)')
  await write('node.json', '{ "LISTEN": ["/ip4/0.0.0.0/tcp/4981"] }')
  expect(await load()).toBe('node.json: API contradicts LISTEN: both use port 4981; give one of them another')
  await rm(join(dir, 'node.json'))
  await mkdir(join(dir, 'node.json'))
  expect(await load()).toBe(
    `node.json is a folder (${join(dir, 'node.json')}); correct it, or copy one from a new folder made by \`thundercloud init\``,
  )
  await rm(join(dir, 'node.json'), { recursive: true })
  await write('node.json', '{}')

  await write('services.json', '{ "RUNNER": "mine/runner.js" }')
  expect(await load()).toBe(
    `services.json: RUNNER is "mine/runner.js", but there is no file ${join(dir, 'runners/mine/runner.js')}`,
  )
  await mkdir(join(dir, 'runners/mine'))
  await write('runners/mine/runner.js', '')
  expect(await load()).toBe(
    `runners/mine/config.json is not there (${join(dir, 'runners/mine/config.json')}); every runner has its settings in a config.json beside it; run \`thundercloud init DIR\` to see one`,
  )
  await write('runners/mine/config.json', '{ "REDIRECTION_DEPTH": 9 }')
  expect(await load()).toBe('runners/mine/config.json: REDIRECTION_DEPTH is 9; allowed is a whole number from 0 to 8')
  await write('runners/mine/config.json', '{}')
  await write('services.json', '{ "RUNNER": "mine/runner.js", "SERVICES": { "web": { "DIR": "code" } } }')
  expect(await load()).toBe(`services.json: SERVICES.web.DIR is "code", but there is no folder ${join(dir, 'code')}`)
  await mkdir(join(dir, 'code'))
  await loadConfiguration(dir)
})

it('what is wrong with a folder: or is a notice, where the node can start all the same', async () => {
  await using temp = await operatorFolder({ node: { LISTEN: ['/ip4/127.0.0.1/tcp/4980'], API: '0.0.0.0:4981' } })
  const { dir } = temp
  const { notices } = await loadConfiguration(dir)
  expect(notices.map(({ message }) => message)).toEqual([
    'node.json: API is 0.0.0.0:4981, which other machines reach without encryption; set API_TLS, or put a TLS proxy before it',
    'node.json: LISTEN has only addresses of this machine: no other machine of the public network can connect',
  ])
  await chmod(join(dir, 'api.token'), 0o644)
  await expect(loadConfiguration(dir)).rejects.toThrow(
    `api.token can be read by others on this machine (mode 0644); run \`chmod 600 ${join(dir, 'api.token')}\``,
  )
})

it('the environment: overrides node.json', async ({ operator: temp }) => {
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0']
  const env = {
    ...{ THUNDERCLOUD_API: 'false', THUNDERCLOUD_LISTEN: listen.join(', ') },
    ...{ THUNDERCLOUD_LOG_LEVEL: '', THUNDERCLOUD_NETWORK: 'test' },
  }
  const { configuration } = await loadConfiguration(temp.dir, { env })
  expect(configuration).toMatchObject({ api: false, listen, logLevel: 'info', network: 'test' })
})

it('the environment: is named when it is wrong', async ({ operator: temp }) => {
  const env = { THUNDERCLOUD_API: 'here' }
  expect(await sentenceOf(loadConfiguration(temp.dir, { env }))).toBe(
    'THUNDERCLOUD_API in the environment is "here"; allowed is false, or host:port like "127.0.0.1:4981"',
  )
})

it('the environment counts for a program that only talks to the node', async ({ operator: temp }) => {
  await writeFile(temp.in('node', 'services.json'), 'nonsense')
  const endpoint = await loadEndpoint(temp.dir, { env: { THUNDERCLOUD_API: '[::1]:5000' } })
  expect(endpoint).toMatchObject({ network: 'thundercloud', api: { host: '::1', port: 5000 } })
})

it('the environment: an aborted load ends with the reason', async () => {
  const [reason, seed] = [new Error('enough'), join(ROOT, 'configs/examples/seed')]
  await expect(loadConfiguration(seed, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

const LONG = 'x'.repeat(MAX_RUNTIME_DIR_BYTES)

const opening = (configured: string) => openRuntimeDir({ configured, tmp: '/tmp' }, 'abc')

it('the folder of sockets: is made where RUNTIME says, for this user alone', async ({ temp }) => {
  const path = await opening(temp.in('run'))
  expect(path).toBe(temp.in('run', 'abc'))
  expect((await stat(path)).mode & 0o066).toBe(0)
})

it('the folder of sockets: is used again unchanged', async ({ temp }) => {
  expect(await opening(temp.in('run'))).toBe(await opening(temp.in('run')))
})

it('the folder of sockets: refuses a folder that lets others in', async ({ temp }) => {
  await mkdir(temp.in('run'))
  await chmod(temp.in('run'), 0o777)
  await expect(opening(temp.in('run'))).rejects.toThrow(
    `${temp.in('run')}, the folder for this node's sockets, lets other users in (mode 0777): remove it, or name another one as RUNTIME in node.json`,
  )
})

it.skipIf(!needs('root'))('the folder of sockets: refuses a folder of another user', async () => {
  await using temp = await folder()
  await mkdir(temp.in('run'), { mode: 0o700 })
  await chown(temp.in('run'), 1234, 1234)
  await expect(opening(temp.in('run'))).rejects.toThrow('belongs to user 1234')
})

it('the folder of sockets: refuses a link, and what is no folder', async ({ temp }) => {
  await mkdir(temp.in('elsewhere'), { mode: 0o700 })
  await symlink(temp.in('elsewhere'), temp.in('run'))
  await expect(opening(temp.in('run'))).rejects.toThrow('is no folder')
  await writeFile(temp.in('file'), '')
  await expect(opening(temp.in('file'))).rejects.toThrow(/is no folder/)
})

it('the folder of sockets: a RUNTIME that is too long is named with its key', async () => {
  await expect(opening(`/tmp/${LONG}`)).rejects.toThrow(
    /has 95 bytes, and at most 86 fit: name a shorter folder as RUNTIME in node\.json/,
  )
})
