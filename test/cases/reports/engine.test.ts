import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootId, identify } from '../../../src/base/os/process-identity.ts'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { createImages } from '../../../src/execution/docker/images/images.ts'
import { EngineGoneError, RunRefusedError } from '../../../src/execution/index.ts'
import type { AdoptedRun, Executor } from '../../../src/execution/types.ts'
import { dockerExecutor, EXECUTORS } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { linesOf, MIB, planFor, type RunDirs, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { listen } from '../../fixtures/net.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const [DOCKER, HOST] = EXECUTORS
const DIGEST = `sha256:${'a'.repeat(64)}`

describe('R13: an engine that answers no', () => {
  const dirs = runDirs()
  let server: Server
  let port: number
  let answer = { status: 500, message: '' }
  beforeAll(async () => {
    server = createServer(({ method, url = '' }, response) => {
      const json = (status: number, value: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (url.endsWith('/info')) json(200, { ID: 'e', KernelVersion: 'another', SwapLimit: true })
      else if (method === 'GET' && url.includes('/images/json')) json(200, [{ Id: DIGEST, RepoDigests: [] }])
      else if (method === 'GET' && url.includes('/images/')) json(200, { Id: DIGEST })
      else if (method === 'POST' && url.includes('/containers/create')) json(answer.status, { message: answer.message })
      else json(404, { message: 'no such container' })
    })
    port = await listen(server)
  })
  afterAll(() => void server.close())

  it.each([
    { status: 500, message: 'OCI runtime create failed: seccomp is not supported', passing: false },
    { status: 500, message: 'linux spec capabilities: unknown', passing: false },
    { status: 400, message: 'invalid CgroupnsMode', passing: false },
    { status: 409, message: 'a name is already in use by another container', passing: true },
    { status: 500, message: 'mkdir /var/lib/docker: no space left on device', passing: true },
    { status: 503, message: 'the engine starts', passing: true },
  ])('$status "$message"', async ({ passing, ...said }) => {
    answer = said
    const executor = dockerExecutor(dirs, { docker: { host: '127.0.0.1', port } })
    const plan = await planFor(executor, dirs, '', { author: 'own', image: { digest: DIGEST }, codeDir: undefined })
    const started = executor.start(plan)
    await expect(started).rejects.toThrow(said.message)
    await expect(started).rejects.toBeInstanceOf(passing ? EngineGoneError : RunRefusedError)
  })

  it.skipIf(!needs('engine'))('to a limit that it does not know is refused in its words', async () => {
    const executor = dockerExecutor(dirs)
    const plan = await planFor(executor, dirs, '', { grant: { memoryBytes: 1024 } })
    await expect(executor.start(plan)).rejects.toThrow(/the Docker engine does not start it: .*memory/i)
    expect(await executor.adopt()).toEqual([])
  })
})

const FIXTURES = fileURLToPath(new URL('../../fixtures/execution/earlier-version', import.meta.url))
const RUN = '0b6e2d0a-1111-4222-8333-444455556666'

/** Containers as that version made them: the run first, with its own namespaces; then, beside it, the gateway. */
async function leaveContainers(dirs: RunDirs, { withGateway }: { withGateway: boolean }): Promise<void> {
  const engine = createEngine({}, system.clock)
  const docker = await engine.ask(async (client) => client)
  const image = await createImages(
    { engine, clock: system.clock },
    { nodeId: 'a', ownAddress: 'own', toolchains: {}, registries: () => [] },
  ).nodeImage()
  const name = `thundercloud-${RUN}`
  const script = `console.log('begun by the version before')
    process.on('SIGTERM', () => { console.log('the end'); process.exit(143) })
    require('net').createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).pipe(s)).listen(4000, '127.0.0.1')`
  const bind = (source: string, target: string, readOnly: boolean) => ({
    ...{ Type: 'bind' as const, Source: source, Target: target, ReadOnly: readOnly },
    BindOptions: { Propagation: 'rprivate' as const },
  })
  const own = { 'thundercloud.node': basename(dirs.base), 'thundercloud.service': 'service', 'thundercloud.run': RUN }
  const labels = (role: string) => ({ ...own, 'thundercloud.role': role })
  const hardening = {
    ...{ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], ReadonlyRootfs: true, IpcMode: 'private', Init: true },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '4m', 'max-file': '2' } },
  }
  const places = {
    'thundercloud.ports': '4000',
    'thundercloud.logs': join(dirs.logs, RUN),
    'thundercloud.place': 'here',
  }
  const run = await docker.createContainer({
    ...{ name, Image: image, Entrypoint: ['node'], Cmd: ['main.js'], WorkingDir: '/code', User: '65534:65534' },
    Env: ['HOME=/work', 'TMPDIR=/tmp', 'LANG=C.UTF-8'],
    Labels: { ...labels('run'), ...places },
    HostConfig: {
      ...{ ...hardening, NetworkMode: 'none', Memory: 128 * MIB, PidsLimit: 64 },
      Mounts: [bind(await writeCode(dirs, { 'main.js': script }), '/code', true)],
    },
  })
  await run.start()
  if (!withGateway) return
  const socketDir = join(dirs.runtime, createHash('sha256').update(RUN).digest('hex').slice(0, 14))
  await mkdir(socketDir, { recursive: true })
  await chmod(socketDir, 0o777)
  const gateway = await docker.createContainer({
    ...{ name: `${name}-door`, Image: image, Entrypoint: ['/usr/local/bin/node'], WorkingDir: '/' },
    ...{ User: '65534:65534', Cmd: ['/door/door.mjs', '/socket/s', '4000'], Labels: labels('door') },
    HostConfig: {
      ...{ ...hardening, NetworkMode: `container:${name}`, Memory: 128 * MIB, PidsLimit: 32 },
      Mounts: [bind(FIXTURES, '/door', true), bind(socketDir, '/socket', false)],
    },
  })
  await gateway.start()
}

async function leaveProcess(dirs: RunDirs): Promise<void> {
  const id = RUN.replaceAll('-', '')
  const dir = join(dirs.runs, id)
  const logDir = join(dirs.logs, RUN)
  const socket = join(dirs.runtime, `${createHash('sha256').update(id).digest('hex').slice(0, 16)}.s`)
  await mkdir(dir, { recursive: true, mode: 0o711 })
  await mkdir(logDir, { recursive: true, mode: 0o700 })
  const args = [join(FIXTURES, 'shim.mjs'), dir, logDir, socket]
  const shim = spawn(process.execPath, args, { detached: true, stdio: 'ignore' })
  shim.unref()
  const pid = shim.pid as number
  const plan = {
    ...{ runId: RUN, service: 'service', purpose: 'run', ports: [4000], logDir, command: ['bwrap'], sandboxed: true },
    ...{ cgroup: { version: 1, dirs: {} }, socket, env: {}, cwd: '/', watchMemory: null },
    logLimits: { maxBytes: 1_000_000, keep: 2 },
  }
  await writeFile(join(dir, 'taken.json'), JSON.stringify(plan))
  await writeFile(join(dir, 'status'), `{ "child-pid": ${pid} }\n`)
  const startTicks = identify(pid)?.startTicks
  await writeFile(join(dir, 'keeper.json'), JSON.stringify({ startTicks, bootId: bootId(), startedAt: Date.now() }))
}

describe.each(
  [
    {
      what: 'containers with their gateway',
      ...DOCKER,
      leave: (dirs: RunDirs) => leaveContainers(dirs, { withGateway: true }),
    },
    {
      what: 'a container without a gateway',
      ...DOCKER,
      leave: (dirs: RunDirs) => leaveContainers(dirs, { withGateway: false }),
    },
    { what: 'a process on the host', ...HOST, leave: leaveProcess },
  ].filter(({ need }) => needs(need)),
)('a run of the version before: $what', ({ create, leave }) => {
  const dirs = runDirs()
  let executor: Executor
  let adopted: AdoptedRun
  beforeAll(async () => {
    executor = create(dirs)
    await leave(dirs)
    adopted = (await executor.adopt()).find(({ runId }) => runId === RUN) as AdoptedRun
  })
  afterAll(async () => {
    for (const { run } of await executor.adopt()) await executor.remove(run.handle)
  })

  it('is adopted, answers, tells what it needs, is stopped, and leaves nothing', async () => {
    const { run, ...rest } = adopted
    expect(rest).toEqual({ runId: RUN, service: 'service', purpose: 'run', state: 'running' })
    const waiting = run.wait()
    expect(await talk(await run.connect(4000), 'over there')).toBe('over there')
    expect(await run.reachable?.()).toBe(true)
    await expect(run.connect(4001, { patienceMs: 0 })).rejects.toThrow('not among')
    expect((await run.stats()).pids).toBeGreaterThan(0)
    const logDir = join(dirs.logs, RUN)
    await until(async () => (await linesOf(logDir)).out.length === 1)
    await run.stop({ graceMs: 10_000 })
    expect(await waiting).toMatchObject({ exitCode: 143, reason: 'stopped' })
    expect(await linesOf(logDir)).toEqual({ out: ['begun by the version before', 'the end'], err: [], node: [] })
    await executor.remove(run.handle)
    expect(await executor.adopt()).toEqual([])
    await expect(readFile(join(dirs.runs, RUN.replaceAll('-', '')))).rejects.toThrow('ENOENT')
  })
})
