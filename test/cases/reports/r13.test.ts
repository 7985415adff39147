import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineGoneError, RunRefusedError } from '../../../src/execution/index.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import { makeRunDirs, planFor, type RunDirs } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const [DOCKER] = EXECUTORS
const DIGEST = `sha256:${'a'.repeat(64)}`

describe('R13: an engine that answers no', () => {
  let dirs: RunDirs & AsyncDisposable
  let server: Server
  let answer = { status: 500, message: '' }
  beforeAll(async () => {
    dirs = await makeRunDirs()
    server = createServer(({ method, url = '' }, response) => {
      const json = (status: number, value: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (url.endsWith('/info')) json(200, { ID: 'e', KernelVersion: 'another', SwapLimit: true })
      else if (method === 'GET' && url.includes('/images/json')) json(200, [{ Id: DIGEST, RepoDigests: [] }])
      else if (method === 'GET' && url.includes('/images/')) json(200, { Id: DIGEST })
      else if (method === 'POST' && url.includes('/containers/create')) json(answer.status, { message: answer.message })
      else json(404, { message: 'no such container' })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    server.close()
    await dirs[Symbol.asyncDispose]()
  })

  it.each([
    { status: 500, message: 'OCI runtime create failed: seccomp is not supported', passing: false },
    { status: 500, message: 'linux spec capabilities: unknown', passing: false },
    { status: 400, message: 'invalid CgroupnsMode', passing: false },
    { status: 409, message: 'a name is already in use by another container', passing: true },
    { status: 500, message: 'mkdir /var/lib/docker: no space left on device', passing: true },
    { status: 503, message: 'the engine starts', passing: true },
  ])('$status "$message"', async ({ passing, ...said }) => {
    answer = said
    const { port } = server.address() as AddressInfo
    const executor = DOCKER.create(dirs, { nodeId: 'r13', docker: { host: '127.0.0.1', port } })
    const plan = await planFor(executor, dirs, '', { image: { digest: DIGEST }, codeDir: undefined })
    const started = executor.start(plan)
    await expect(started).rejects.toThrow(said.message)
    await expect(started).rejects.toBeInstanceOf(passing ? EngineGoneError : RunRefusedError)
  })

  it.skipIf(!needs('engine'))('to a limit that it does not know is refused in its words', async () => {
    const executor = DOCKER.create(dirs, { nodeId: `r13-${process.pid}` })
    const plan = await planFor(executor, dirs, '', { grant: { memoryBytes: 1024 } })
    await expect(executor.start(plan)).rejects.toThrow(/the Docker engine does not start it: .*memory/i)
    expect(await executor.adopt()).toEqual([])
  })
})
