import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dockerEnvironment } from '../../../src/config/files/docker-environment.ts'
import { loadDockerOptions, readPolicy } from '../../../src/config/index.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import { makeRunDirs } from '../../fixtures/execution/run-fixture.ts'

describe('N9: where the Docker engine is', () => {
  let home: string
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tc-n9-'))
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

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
    expect(await found({ socketPath: '/run/x.sock' }, { DOCKER_HOST: 'unix:///other' })).toEqual({
      socketPath: '/run/x.sock',
    })
    expect(await found({ socketPath: 'unix:///run/x.sock' }, {})).toEqual({ socketPath: '/run/x.sock' })
    await expect(found({ socketPath: 'tcp://127.0.0.1:2375' }, {})).rejects.toThrow(
      'DOCKER_CONFIGS.socketPath "tcp://127.0.0.1:2375" is no path of a socket',
    )
  })

  it('is said by DOCKER_HOST', async () => {
    expect(await found({}, { DOCKER_HOST: 'unix:///run/user/7/docker.sock' })).toEqual({
      socketPath: '/run/user/7/docker.sock',
      from: 'DOCKER_HOST',
    })
    expect(await found({}, { DOCKER_HOST: 'tcp://127.0.0.1:2400' })).toEqual({
      ...{ protocol: 'http', host: '127.0.0.1', port: 2400 },
      from: 'DOCKER_HOST',
    })
  })

  it.each(['ssh://somebody@engine.example.org', 'tcp://engine.example.org:2375', 'nonsense'])(
    'is not %s, and the operator sees that',
    async (url) => {
      expect(await found({}, { DOCKER_HOST: url })).toMatchObject({
        socketPath: '/var/run/docker.sock',
        from: expect.stringContaining(`DOCKER_HOST says "${url}", which the node cannot use`),
      })
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
    const { findEngine } = await import('../../../src/config/files/docker-environment.ts')
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

  it('is told with the path that was tried, what said so, and what to set', async () => {
    await using dirs = await makeRunDirs()
    const docker = { socketPath: '/nowhere/engine.sock', from: 'DOCKER_HOST' }
    const executor = EXECUTORS[0].create(dirs, { nodeId: 'n9', docker })
    expect(await executor.available()).toMatchObject({
      available: false,
      detail: expect.stringMatching(/at \/nowhere\/engine\.sock \(DOCKER_HOST\): .*DOCKER_CONFIGS\.socketPath/),
    })
  })

  it('is told too where it answers with an error', async () => {
    await using dirs = await makeRunDirs()
    const server = createHttpServer((_, response) => response.writeHead(500).end('{"message":"out of order"}'))
    const socketPath = join(home, 'engine.sock')
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    try {
      expect(await EXECUTORS[0].create(dirs, { nodeId: 'n9', docker: { socketPath } }).available()).toMatchObject({
        available: false,
        detail: `the Docker engine at ${socketPath} answers with HTTP status 500: out of order`,
      })
    } finally {
      server.close()
    }
  })
})
