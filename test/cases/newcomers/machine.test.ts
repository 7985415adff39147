import { createHash } from 'node:crypto'
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, test, vi } from 'vitest'
import { dockerEnvironment, findEngine } from '../../../src/config/files/docker-environment.ts'
import { loadDockerOptions, readPolicy } from '../../../src/config/index.ts'
import { openRuntimeDir } from '../../../src/config/runtime-dir.ts'
import { exitHint } from '../../../src/execution/exit-hint.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { makeRunDirs } from '../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

test.each<[number, string, string]>([
  [1, "Error: EROFS: read-only file system, open 'db.json'", 'write below $HOME'],
  [1, "Error: ENOENT: no such file or directory, mkdir '/code/storage'", 'write below $HOME'],
  [1, "Error: ENOENT: no such file or directory, open '/code/config.json'", 'a file is not in the code'],
  [1, "FileNotFoundError: [Errno 2] No such file or directory: '/code/config.json'", 'a file is not in the code'],
  [127, '[FATAL tini (7)] exec node_modules/.bin/http-server failed: No such file or directory', 'is not there'],
  [126, '[FATAL tini (7)] exec ./run failed: Permission denied', 'is not executable'],
  [127, "/usr/bin/env: 'no-such-program': No such file or directory", 'is not there'],
  [126, "/usr/bin/env: './run': Permission denied", 'is not executable'],
  // of a pool
  [127, '/thundercloud/tools/a569e0dabea9031c/init.sh: 12: nosuchprogram: not found', 'is not there'],
  [126, '/thundercloud/tools/a569e0dabea9031c/init.sh: 12: ./run: Permission denied', 'is not executable'],
  [126, "/usr/bin/env: './run': Exec format error", 'is not executable'],
  [1, 'Error: listen EADDRINUSE: address already in use 0.0.0.0:8080', 'only one process may listen'],
  [1, 'Error: listen EADDRINUSE: address already in use :::5432', 'at 127.0.0.1 alone where network names'],
  [1, 'Error: listen EACCES: permission denied 127.0.0.1:80', 'ports below 1024'],
  [1, "Error: Cannot find module 'express'", 'a module is not in the code'],
  [1, 'ModuleNotFoundError: No module named flask', 'a module is not in the code'],
  [1, 'Error: getaddrinfo EAI_AGAIN registry.company.com', 'no network and no DNS'],
  [1, 'Error: ENOSPC: no space left on device, write', 'resources.disk'],
  [134, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'resources.memory'],
  [1, 'Error: spawn node EAGAIN', 'resources.pids'],
  [1, "Error: EACCES: permission denied, open '/etc/x'", 'may write below $HOME'],
])('N2: exit code %i after %j: %s', (exitCode, line, hint) => {
  expect(exitHint(exitCode, ['before', line, 'after'], { network: 'none' })).toContain(hint)
})

test.each([
  ['allowlist', /no DNS.*and no other/],
  ['open', /no DNS.*HTTP_PROXY/],
] as const)('N2: of a run with a network (%s) is not said that it has none', (network, hint) => {
  const said = exitHint(1, ['Error: getaddrinfo ENOTFOUND other.example'], { network })
  expect(said).toMatch(hint)
  expect(said).not.toContain('no network')
})

test('N2: where a run has data in a pool, a full disk may be that', () => {
  const line = 'Error: ENOSPC: no space left on device, write'
  expect(exitHint(1, [line], { network: 'none', data: true })).toMatch(/resources\.disk.*\/data.*share/)
  expect(exitHint(1, [line], { network: 'none' })).not.toContain('/data')
})

test('N2: nothing is guessed, neither of a good end nor of what is not known', () => {
  expect(exitHint(0, ['EROFS'], { network: 'none' })).toBeUndefined()
  expect(exitHint(3, ['it did not work'], { network: 'none' })).toBeUndefined()
  expect(exitHint(1, [], { network: 'none' })).toBeUndefined()
  const startedAt = performance.now()
  exitHint(1, new Array(40).fill('mkdir '.repeat(10_000)), { network: 'none' })
  expect(performance.now() - startedAt).toBeLessThan(2000)
})

test('N2: the page that hints name is there', async () => {
  const page = await readFile(new URL('../../../docs/what-a-service-gets.md', import.meta.url), 'utf8')
  for (const word of ['# What a service gets', '/code', '/work', 'TMPDIR', 'EROFS', 'EADDRINUSE', '127'])
    expect(page).toContain(word)
})

it.each([
  ['a TMPDIR', { tmp: join('/tmp', 'x'.repeat(110)) }],
  ['an XDG_RUNTIME_DIR', { xdg: join('/tmp', 'x'.repeat(110)), tmp: '/tmp' }],
])('N7: %s that is too long for sockets is not used: the node falls back to a folder that fits', async (_, env) => {
  const name = `test-${process.pid}`
  const path = await openRuntimeDir(env, name)
  expect(Buffer.byteLength(path)).toBeLessThan(87)
  expect(path.endsWith(name)).toBe(true)
  await rm(path, { recursive: true })
})

it('N7: the folder that the system gave an ordinary user is the first choice', async () => {
  const uid = process.getuid?.() || 1000
  const [xdg, tmp] = [await tempDir(), await tempDir()]
  const path = join(xdg, 'thundercloud/x')
  await mkdir(path, { recursive: true, mode: 0o700 })
  for (const folder of [join(xdg, 'thundercloud'), path]) await chown(folder, uid, -1)
  const asUser = vi.spyOn(process, 'getuid').mockReturnValue(uid)
  try {
    expect(await openRuntimeDir({ xdg, tmp }, 'x')).toBe(path)
  } finally {
    asUser.mockRestore()
  }
})

describe('N9: where the Docker engine is', () => {
  let home: string
  beforeEach(async () => {
    home = await tempDir()
  })

  const found = (docker: object, env: Record<string, string>) => {
    const { config } = readPolicy({ DOCKER_CONFIGS: docker }).policy
    return loadDockerOptions(home, config, { environment: dockerEnvironment(env) })
  }
  async function writeContext(name: string, url: string): Promise<void> {
    const folder = join(home, '.docker/contexts/meta', createHash('sha256').update(name).digest('hex'))
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: url } } }))
  }

  it('is said by socketPath, with or without the scheme', async () => {
    const at = { socketPath: '/run/x.sock' }
    expect(await found(at, { DOCKER_HOST: 'unix:///other' })).toEqual(at)
    expect(await found({ socketPath: 'unix:///run/x.sock' }, {})).toEqual(at)
    await expect(found({ socketPath: 'tcp://127.0.0.1:2375' }, {})).rejects.toThrow(
      'DOCKER_CONFIGS.socketPath "tcp://127.0.0.1:2375" is no path of a socket',
    )
  })

  it.each([
    ['unix:///run/user/7/docker.sock', { socketPath: '/run/user/7/docker.sock' }],
    ['tcp://127.0.0.1:2400', { protocol: 'http', host: '127.0.0.1', port: 2400 }],
  ])('is said by DOCKER_HOST: %s', async (url, at) => {
    expect(await found({}, { DOCKER_HOST: url })).toEqual({ ...at, from: 'DOCKER_HOST' })
  })

  it.each(['ssh://somebody@engine.example.org', 'tcp://engine.example.org:2375', 'nonsense'])(
    'is not %s, and the operator sees that',
    async (url) => {
      const from = expect.stringContaining(`DOCKER_HOST says "${url}", which the node cannot use`)
      expect(await found({}, { DOCKER_HOST: url })).toMatchObject({ socketPath: '/var/run/docker.sock', from })
    },
  )

  it('is said by the context that is in use', async () => {
    await writeContext('desk', 'unix:///run/desk.sock')
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ currentContext: 'desk' }))
    const desk = { socketPath: '/run/desk.sock', from: 'the docker context "desk"' }
    expect(await found({}, { HOME: home })).toEqual(desk)
    expect(await found({}, { HOME: home, DOCKER_HOST: 'unix:///a' })).toMatchObject({ socketPath: '/a' })
    expect(await found({}, { HOME: home, DOCKER_CONTEXT: 'default' })).not.toMatchObject(desk)
    await writeContext('other', 'unix:///run/other.sock')
    expect(await found({}, { HOME: home, DOCKER_CONTEXT: 'other' })).toMatchObject({ socketPath: '/run/other.sock' })
  })

  it('is a rootless socket where the standard one is not there', async () => {
    const server = createServer()
    const path = join(home, 'docker.sock')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    try {
      const environment = dockerEnvironment({ XDG_RUNTIME_DIR: home })
      expect(await findEngine(environment, '/nowhere/docker.sock')).toMatchObject({ url: `unix://${path}` })
      expect(await findEngine(environment, path)).toBeUndefined()
    } finally {
      server.close()
    }
  })

  const available = async (docker: object) => {
    await using dirs = await makeRunDirs()
    return await dockerExecutor(dirs, { docker }).available()
  }

  it('gets the path that was tried, what said so, and what to set', async () => {
    const detail = expect.stringMatching(/at \/nowhere\/engine\.sock \(DOCKER_HOST\): .*DOCKER_CONFIGS\.socketPath/)
    const docker = { socketPath: '/nowhere/engine.sock', from: 'DOCKER_HOST' }
    expect(await available(docker)).toMatchObject({ available: false, detail })
  })

  it('gets the same where it answers with an error', async () => {
    const server = createHttpServer((_, response) => response.writeHead(500).end('{"message":"out of order"}'))
    const socketPath = join(home, 'engine.sock')
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    try {
      const detail = `the Docker engine at ${socketPath} answers with HTTP status 500: out of order`
      expect(await available({ socketPath })).toMatchObject({ available: false, detail })
    } finally {
      server.close()
    }
  })
})
