import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { bootId, identify } from '../../../src/base/process-identity.ts'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { createImages } from '../../../src/execution/docker/images.ts'
import type { AdoptedRun, Executor } from '../../../src/execution/types.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import {
  linesOf,
  MIB,
  makeRunDirs,
  type RunDirs,
  talk,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/execution/earlier-version', import.meta.url))
const RUN = '0b6e2d0a-1111-4222-8333-444455556666'

/** Containers as that version made them: the run first, with its own namespaces; then, beside it, the door. */
async function leaveContainers(dirs: RunDirs, nodeId: string, { withDoor }: { withDoor: boolean }): Promise<void> {
  const engine = createEngine({}, systemClock())
  const docker = await engine.ask(async (client) => client)
  const image = await createImages(engine, { toolchains: {}, registries: [] }).nodeImage()
  const name = `thundercloud-${RUN}`
  const script = `console.log('begun by the version before')
    process.on('SIGTERM', () => { console.log('the end'); process.exit(143) })
    require('net').createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).pipe(s)).listen(4000, '127.0.0.1')`
  const bind = (source: string, target: string, readOnly: boolean) => ({
    ...{ Type: 'bind' as const, Source: source, Target: target, ReadOnly: readOnly },
    BindOptions: { Propagation: 'rprivate' as const },
  })
  const labels = (role: string) => ({
    'thundercloud.node': nodeId,
    'thundercloud.service': 'service',
    'thundercloud.run': RUN,
    'thundercloud.role': role,
  })
  const hardening = {
    ...{ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], ReadonlyRootfs: true, IpcMode: 'private', Init: true },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '4m', 'max-file': '2' } },
  }
  const run = await docker.createContainer({
    ...{ name, Image: image, Entrypoint: ['node'], Cmd: ['main.js'], WorkingDir: '/code', User: '65534:65534' },
    Env: ['HOME=/work', 'TMPDIR=/tmp', 'LANG=C.UTF-8'],
    Labels: {
      ...labels('run'),
      ...{ 'thundercloud.ports': '4000', 'thundercloud.logs': join(dirs.logs, RUN), 'thundercloud.place': 'here' },
    },
    HostConfig: {
      ...{ ...hardening, NetworkMode: 'none', Memory: 128 * MIB, PidsLimit: 64 },
      Mounts: [bind(await writeCode(dirs, { 'main.js': script }), '/code', true)],
    },
  })
  await run.start()
  if (!withDoor) return
  const socketDir = join(dirs.runtime, createHash('sha256').update(RUN).digest('hex').slice(0, 14))
  await mkdir(socketDir, { recursive: true })
  await chmod(socketDir, 0o777)
  const door = await docker.createContainer({
    ...{ name: `${name}-door`, Image: image, Entrypoint: ['/usr/local/bin/node'], WorkingDir: '/' },
    ...{ User: '65534:65534', Cmd: ['/door/door.mjs', '/socket/s', '4000'], Labels: labels('door') },
    HostConfig: {
      ...{ ...hardening, NetworkMode: `container:${name}`, Memory: 128 * MIB, PidsLimit: 32 },
      Mounts: [bind(FIXTURES, '/door', true), bind(socketDir, '/socket', false)],
    },
  })
  await door.start()
}

/** The folder and the process of a run as that version left them on the host. */
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

const LEFT = [
  {
    what: 'containers with their door',
    ...EXECUTORS[0],
    leave: (dirs: RunDirs, nodeId: string) => leaveContainers(dirs, nodeId, { withDoor: true }),
  },
  {
    what: 'a container without a door',
    ...EXECUTORS[0],
    leave: (dirs: RunDirs, nodeId: string) => leaveContainers(dirs, nodeId, { withDoor: false }),
  },
  { what: 'a process on the host', ...EXECUTORS[1], leave: leaveProcess },
]

describe.each(LEFT.filter(({ need }) => needs(need)))(
  'a run of the version before: $what',
  ({ name, create, leave }) => {
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    let adopted: AdoptedRun
    beforeAll(async () => {
      dirs = await makeRunDirs()
      const nodeId = `before-${name}-${process.pid}`
      executor = create(dirs, { nodeId })
      await leave(dirs, nodeId)
      adopted = (await executor.adopt()).find(({ runId }) => runId === RUN) as AdoptedRun
    })
    afterAll(async () => {
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await dirs[Symbol.asyncDispose]()
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
  },
)
