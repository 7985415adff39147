import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRetryable } from '../../../src/base/errors.ts'
import { NoCapacityError, type Plan, type Run } from '../../../src/execution/index.ts'
import { swarmExecutor } from '../../fixtures/execution/executors.ts'
import {
  grantOf,
  linesOf,
  makeRunDirs,
  type PlanChange,
  planFor,
  type RunDirs,
  runToEnd,
  talk,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { serviceOf, supervise } from '../../fixtures/execution/supervised.ts'
import { type OwnSwarm, startOwnSwarm } from '../../fixtures/execution/swarm/own-swarm.ts'
import { needs } from '../../require.ts'

type PlacedService = {
  Spec: { Name: string; TaskTemplate: { ContainerSpec: { Image: string }; Networks: { Target: string }[] } }
}

const FOREVER = `console.log('ready'); setInterval(() => {}, 1000)`

describe.skipIf(!needs('own-swarm'))('a swarm of two machines', () => {
  let swarm: OwnSwarm
  let dirs: RunDirs & AsyncDisposable
  let executor: ReturnType<typeof swarmExecutor>

  const create = (change: Partial<Parameters<typeof swarmExecutor>[1]> = {}, where: RunDirs = dirs) => {
    const constraints = [`node.id==${swarm.ids.second}`]
    return swarmExecutor(where, { docker: swarm.config, registry: swarm.registry, constraints, ...change })
  }
  const second = () => swarm.engines.second.docker
  const plan = (script: string, change?: PlanChange) => planFor(executor, dirs, script, change)
  const started = async (script: string, change?: PlanChange): Promise<{ run: Run; left: Plan }> => {
    const left = await plan(script, change)
    return { run: await executor.start(left), left }
  }
  /** Containers of ours on the second machine, by role: of runs, and of launchers. */
  const containers = async () => {
    const all = await second().listContainers({ all: true })
    const roles = all.map(
      ({ Labels }) => Labels['thundercloud.role'] ?? (Labels['com.docker.swarm.task.id'] ? 'task' : ''),
    )
    return roles.toSorted()
  }
  const launcherOf = async ({ runId }: Plan) => {
    const all = await second().listContainers()
    const found = all.find(({ Names }) =>
      Names.some((name) => name.startsWith(`/thundercloud-${runId}-`) && name.split('.').length > 2),
    )
    if (found === undefined) throw new Error('the run has no launcher')
    return second().getContainer(found.Id)
  }
  const pidOf = async (name: string) => (await second().getContainer(name).inspect()).State.Pid
  const nothingLeft = () => until(async () => (await containers()).length === 0, 60_000)

  beforeAll(async () => {
    swarm = await startOwnSwarm()
    dirs = await makeRunDirs()
    executor = create()
    // the image is made, pushed and pulled
    await runToEnd(executor, await plan(''))
  }, 180_000)
  afterAll(async () => {
    await executor[Symbol.asyncDispose]()
    await swarm[Symbol.asyncDispose]()
    await dirs[Symbol.asyncDispose]()
  }, 60_000)

  it('says how many machines there are, and what is wrong where runs cannot begin', async () => {
    expect(await executor.available()).toMatchObject({
      available: true,
      detail: expect.stringMatching(/^Docker Swarm of 2 machines/),
    })
    const worker = create({ docker: { socketPath: swarm.engines.second.socketPath } })
    expect(await worker.available()).toMatchObject({
      available: false,
      detail: expect.stringMatching(/manages no swarm: run "docker swarm init"/),
    })
    expect(await create({ enabled: false }).available()).toMatchObject({ available: false })
    await swarm.setAvailability('first', 'drain')
    try {
      const detail = expect.stringMatching(
        /takes no tasks of the swarm: run "docker node update --availability active"/,
      )
      expect(await executor.available()).toMatchObject({ available: false, detail })
    } finally {
      await swarm.setAvailability('first', 'active')
    }
  })

  it('confines a run on another machine as the kernel says, and in the control group of its launcher', async () => {
    const { run, left } = await started(FOREVER, { grant: { memoryBytes: 100 * 2 ** 20, pids: 40 } })
    await until(async () => (await second().getContainer(`thundercloud-${left.runId}`).top()).Processes.length > 0)
    const pid = await pidOf(`thundercloud-${left.runId}`)
    const launcher = await (await launcherOf(left)).inspect()
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1]
    const none = '0000000000000000'
    expect(['CapEff', 'CapPrm', 'CapBnd', 'CapAmb', 'CapInh'].map(field)).toEqual([none, none, none, none, none])
    expect([field('NoNewPrivs'), field('Seccomp'), field('Uid')]).toEqual(['1', '2', '65534'])
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n').filter(Boolean)
    const at = (path: string) => mounts.find((line) => line.split(' ')[4] === path)?.split(' ')[5] ?? ''
    expect(at('/').split(',')).toContain('ro')
    expect(at('/code').split(',')).toContain('ro')
    expect(mounts.join('\n')).not.toMatch(/docker\.sock|\/run\/secrets/)
    const namespace = (of: number, name: string) => readlinkSync(`/proc/${of}/ns/${name}`)
    for (const name of ['net', 'pid', 'mnt', 'ipc', 'uts'])
      expect(namespace(pid, name)).not.toBe(namespace(launcher.State.Pid, name))
    const group = /^\d+:memory:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1]
    // version 2 has no group of processes above another
    if (group !== undefined) {
      expect(group).toMatch(new RegExp(`^/docker/${launcher.Id}/[0-9a-f]{64}$`))
      const limit = (name: string, of = group) =>
        Number(readFileSync(`/sys/fs/cgroup/memory${of}/memory.${name}`, 'utf8'))
      expect([limit('limit_in_bytes'), limit('memsw.limit_in_bytes')]).toEqual([100 * 2 ** 20, 100 * 2 ** 20])
      expect(limit('limit_in_bytes', `/docker/${launcher.Id}`)).toBe(356 * 2 ** 20)
    }
    await executor.remove(run.handle)
    await nothingLeft()
  })

  it('builds, runs, checks and meters a supervised service there, and finds it again', async () => {
    const server = `const { readFileSync } = require('fs')
      console.log('serving'); require('net').createServer(s => s.on('error', () => {}).end(readFileSync('/code/answer.txt'))).listen(8080, '127.0.0.1')`
    const build = `require('fs').writeFileSync('answer.txt', 'built'); console.log('building')`
    const dir = await writeCode(dirs, { 'main.js': server, 'build.js': build })
    const code = { obtain: async () => ({ dir, release: async () => {} }), keep: () => new DisposableStack() }
    const run = {
      ports: [{ name: 'http', port: 8080 }],
      build: ['node', 'build.js'],
      check: { command: ['node', '-e', 'process.exit(0)'] },
    }
    const supervised = () => supervise(dirs, { executors: [create()], code, graceMs: 2000, stopOnClose: false })
    const first = supervised()
    await first.supervisor.boot()
    first.supervisor.run(serviceOf(run), grantOf('swarm'))
    await until(async () => first.supervisor.status('service-1')?.healthy, 90_000)
    expect(await talk(await first.supervisor.connect('service-1', 'http'), '')).toBe('built')
    await first.close()

    const next = supervised()
    await next.supervisor.boot()
    await until(async () => next.supervisor.status('service-1')?.healthy, 90_000)
    expect(await talk(await next.supervisor.connect('service-1', 'http'), '')).toBe('built')
    expect(next.journal.ofService('service-1')).toMatchObject({ state: 'running', restarts: 0 })
    await next.supervisor.stop('service-1', { why: 'test' })
    const { out } = await linesOf(join(dirs.logs, 'service-1'))
    expect(out).toEqual(['building', 'serving'])
    await next.close()
    await nothingLeft()
  })

  it('waits for room where no machine has it, and says why', async () => {
    const large = await plan('', { grant: { cpuMillicores: 64_000 } })
    const failure = await executor.start(large).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NoCapacityError)
    expect(String(failure)).toMatch(/no machine of the swarm takes the run: .*insufficient resources/)
    expect(await executor.adopt()).toEqual([])
  })

  it('ends a run whose launcher is killed, and sweeps what is left on its machine', async () => {
    const { run, left } = await started(FOREVER)
    const ended = run.wait()
    await until(async () => (await linesOf(left.logDir)).out.includes('ready'))
    await (await launcherOf(left)).kill({ signal: 'SIGKILL' })
    const end = await ended.catch((error: unknown) => error)
    // as the supervisor does: it looks again
    const again =
      isRetryable(end) && end instanceof Error
        ? (await executor.adopt()).find(({ runId }) => runId === left.runId)
        : undefined
    const seen = again === undefined ? end : await again.run.wait()
    expect(seen).toMatchObject({
      exitCode: 137,
      detail: expect.stringMatching(/^the swarm ended it: task: non-zero exit \(137\)/),
    })
    expect(await containers()).toContain('run')
    await executor.remove(run.handle)
    await nothingLeft()
    const { Volumes } = await second().listVolumes()
    expect(Volumes ?? []).toEqual([])
    await until(async () => (await swarm.engines.first.docker.listServices()).length === 0)
    expect(await swarm.engines.first.docker.listSecrets()).toEqual([])
  })

  it('a service that is removed by hand takes its run with it', async () => {
    const { run, left } = await started(FOREVER)
    const ended = run.wait().catch((error: unknown) => error)
    const services = await swarm.engines.first.docker.listServices()
    await Promise.all(services.map((service) => swarm.engines.first.docker.getService(service.ID).remove()))
    await nothingLeft()
    await ended
    expect((await executor.adopt()).filter(({ runId }) => runId === left.runId)).toEqual([])
    await executor.remove(run.handle)
  })

  it('runs nothing twice when the swarm starts a task again by itself', async () => {
    const { run, left } = await started(FOREVER)
    const ended = run.wait().catch((error: unknown) => error)
    const before = (await launcherOf(left)).id
    const [service] = await swarm.engines.first.docker.listServices()
    const handle = swarm.engines.first.docker.getService(service?.ID ?? '')
    const { Version, Spec } = (await handle.inspect()) as { Version: { Index: number }; Spec: { TaskTemplate: object } }
    await handle.update({ version: Version.Index, ...Spec, TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: 1 } })
    await until(async () => (await launcherOf(left).catch(() => ({ id: before }))).id !== before)
    await ended
    // another launcher is there, and no run
    await until(async () => !(await containers()).includes('run'))
    const found = (await executor.adopt()).filter(({ runId }) => runId === left.runId)
    expect(found).toMatchObject([{ state: 'prepared' }])
    expect((await linesOf(left.logDir)).out).toEqual(['ready'])
    await executor.remove(run.handle)
    await nothingLeft()
  })

  it('speaks with nobody who has not its key', async () => {
    const { run, left } = await started(FOREVER)
    await using others = await makeRunDirs()
    // the same node by name, with another secret
    await using stranger = create({ nodeId: dirs.base.split('/').at(-1) as string }, others)
    const [found] = await stranger.adopt()
    expect(found).toMatchObject({ runId: left.runId, state: 'running' })
    await expect(found?.run.stats()).rejects.toThrow(/cannot be spoken with/)
    // and so does any container that is put onto the network
    const [service] = (await swarm.engines.first.docker.listServices()) as unknown as PlacedService[]
    if (service === undefined) throw new Error('there is no service')
    const { Name: name, TaskTemplate } = service.Spec
    const probe = `require('dns').resolve4('${name}', (e, [host]) => { const s = require('net').connect(7465, host)
      s.on('data', d => console.log('data', d.toString('hex'))).on('close', () => process.exit()).on('error', e => console.log(e.code)); s.write('GET / HTTP/1.1\\r\\n\\r\\n') })`
    const engine = swarm.engines.first.docker
    const container = await engine.createContainer({
      Image: TaskTemplate.ContainerSpec.Image,
      Entrypoint: ['node', '-e', probe],
      HostConfig: { NetworkMode: `${TaskTemplate.Networks[0]?.Target}` },
    })
    try {
      await container.start()
      await container.wait()
      const said = (await container.logs({ stdout: true, stderr: true })).toString()
      // an alert of TLS at most, and no word of HTTP
      expect(said).not.toMatch(/48545450|ECONNREFUSED|EHOSTUNREACH/)
    } finally {
      await container.remove({ force: true })
    }
    expect((await run.stats()).pids).toBeGreaterThan(0)
    await executor.remove(run.handle)
    await nothingLeft()
  })

  it('finds a machine that was switched off and comes back, and leaves nothing there', async () => {
    const { run, left } = await started(FOREVER)
    const ended = run.wait().catch((error: unknown) => error)
    await until(async () => (await linesOf(left.logDir)).out.includes('ready'))
    await swarm.engines.second.stop('SIGKILL')
    const failure = await ended
    expect(isRetryable(failure)).toBe(true)
    await swarm.engines.second.start()
    const over = await until(async () =>
      (await executor.adopt()).find(({ runId, state }) => runId === left.runId && state === 'ended'),
    )
    expect(await over.run.wait()).toMatchObject({
      exitCode: 137,
      detail: expect.stringMatching(/^the swarm ended it: /),
    })
    await executor.remove(run.handle)
    await nothingLeft()
    // and it is used again
    const { end } = await runToEnd(executor, await plan('process.exitCode = 4'))
    expect(end).toMatchObject({ exitCode: 4 })
  })
})
