import { readFile } from 'node:fs/promises'
import type { ContainerInspectInfo } from 'dockerode'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DockerExecutorInit, Run } from '../../../src/execution/index.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { planFor, until } from '../../fixtures/execution/run-fixture.ts'
import { NOTHING, warmDocker } from '../../fixtures/execution/warm-docker.ts'
import { UIDS } from '../../fixtures/execution/warm-host.ts'
import { needs } from '../../require.ts'

/** The engine's answer has more than the types declare. */
type Inspected = ContainerInspectInfo & {
  readonly AppArmorProfile: string
  readonly HostConfig: ContainerInspectInfo['HostConfig'] & { readonly CgroupnsMode: string }
}
type Containers = {
  readonly run: Inspected
  readonly gateway: Inspected
  /** the run's mounts, as the kernel has them */
  readonly mountinfo: string
  /** what a check of the run is executed as */
  readonly check: { readonly privileged: boolean; readonly user: string }
  readonly engineHas: (what: string) => boolean
}

const TABLE = new URL('../../../docs/container-benchmark.md', import.meta.url)
const MEMORY_BYTES = 64 * 1024 * 1024
const UID = 2_345_678
const NOBODY = 65_534

const host = ({ HostConfig }: Inspected) => HostConfig
const isEmpty = (value: object | readonly unknown[] | null | undefined) => Object.keys(value ?? {}).length === 0
const option = (one: Inspected, name: string) =>
  host(one).SecurityOpt?.some((text: string) => text.startsWith(name)) === true
const sources = (one: Inspected) => (host(one).Mounts ?? []).map(({ Source }) => Source)
const writable = (one: Inspected) => (host(one).Mounts ?? []).filter(({ ReadOnly }) => ReadOnly !== true)
const noNetwork = ({ run, gateway }: Containers) =>
  host(gateway).NetworkMode === 'none' && host(run).NetworkMode === `container:${gateway.Id}`

/** What each row says, of a run and its gateway as the engine describes them. */
const CHECKS: Readonly<Record<string, (containers: Containers) => boolean>> = {
  '5.1': noNetwork,
  '5.2': ({ run, gateway, engineHas }) =>
    [run, gateway].every(
      (one) => !option(one, 'apparmor') && (one.AppArmorProfile === 'docker-default') === engineHas('apparmor'),
    ),
  '5.3': each((one) => !option(one, 'label')),
  '5.4': each((one) => host(one).CapDrop?.join() === 'ALL' && isEmpty(host(one).CapAdd)),
  '5.5': each((one) => host(one).Privileged === false),
  '5.6': ({ run, gateway }) =>
    isEmpty(host(run).Binds) && isEmpty(writable(run)) && ['/socket', ''].includes(targets(writable(gateway))),
  '5.7': ({ run, gateway }) =>
    [run.Path, ...run.Args].join(' ') === 'node main.js' && gateway.Path === '/usr/local/bin/node',
  '5.8': each(({ HostConfig }) => isEmpty(HostConfig.PortBindings)),
  '5.9': each((one) => isEmpty(host(one).PortBindings) && host(one).PublishAllPorts !== true),
  '5.10': noNetwork,
  '5.11': each((one) => {
    const { Memory = 0, MemorySwap = 0 } = host(one)
    return Memory > 0 && MemorySwap !== -1 && (one.Name.endsWith('-gateway') || Memory === MEMORY_BYTES)
  }),
  '5.12': ({ run }) => host(run).NanoCpus === 500_000_000,
  '5.13': ({ run, gateway }) =>
    [run, gateway].every((one) => host(one).ReadonlyRootfs === true) &&
    Object.values(host(run).Tmpfs ?? {}).every((options) => /size=\d+/.test(options)),
  '5.14': each((one) => isEmpty(host(one).PortBindings)),
  '5.15': each((one) => ['', 'no'].includes(host(one).RestartPolicy?.Name ?? '')),
  '5.16': ({ run, gateway }) => host(gateway).PidMode === '' && host(run).PidMode === `container:${gateway.Id}`,
  '5.17': each((one) => host(one).IpcMode === 'private'),
  '5.18': each((one) => isEmpty(host(one).Devices) && isEmpty(host(one).DeviceRequests)),
  '5.19': each((one) => {
    const limits = (host(one).Ulimits ?? []).map(({ Name, Hard }) => `${Name} ${Hard}`)
    return limits.toSorted().join() === 'core 0,nofile 4096'
  }),
  '5.20': each((one) => one.Mounts.every(({ Propagation }) => ['', 'rprivate', undefined].includes(Propagation))),
  '5.21': each((one) => host(one).UTSMode === ''),
  '5.22': each((one) => option(one, 'seccomp={')),
  '5.23': ({ check }) => check.privileged === false,
  '5.24': isUser((uid) => uid === UID),
  '5.25': each((one) => host(one).CgroupParent === '' && host(one).CgroupnsMode === 'private'),
  '5.26': each((one) => option(one, 'no-new-privileges')),
  '5.27': ({ run }) => run.Config.Healthcheck?.Test?.join() === 'NONE',
  '5.28': each((one) => /^sha256:[0-9a-f]{64}$/.test(one.Config.Image)),
  '5.29': each((one) => (host(one).PidsLimit ?? 0) > 0),
  '5.30': noNetwork,
  '5.31': ({ run, gateway }) =>
    [run, gateway].every((one) => host(one).UsernsMode === '') && !run.Config.User.startsWith('0'),
  '5.32': each((one) => !sources(one).some((path) => path.endsWith('docker.sock'))),
}

/** Where the engine sees no folder of the node: one user for all runs. */
const APART: typeof CHECKS = { ...CHECKS, '5.24': isUser((uid) => uid === NOBODY) }

/** Of a container that was there before its run. */
const WARM: typeof CHECKS = {
  ...CHECKS,
  // what waited may write there, and the code is mounted over it
  '5.6': ({ run, gateway, mountinfo }) =>
    isEmpty(host(run).Binds) &&
    targets(writable(run)) === '/code' &&
    targets(writable(gateway)) === '/socket' &&
    codeOptions(mountinfo).includes('ro'),
  '5.7': ({ run, gateway }) =>
    [run.Path, ...run.Args].join(' ') === 'node /code/bootstrap.cjs' && gateway.Path === '/usr/local/bin/node',
  '5.20': ({ run, gateway }) =>
    [...run.Mounts, ...gateway.Mounts].every(
      ({ Destination, Propagation }) => Propagation === (Destination === '/code' ? 'rslave' : 'rprivate'),
    ),
  '5.24': isUser((uid) => uid >= UIDS.first && uid <= UIDS.last),
}

const targets = (mounts: readonly { Target: string }[]) => mounts.map(({ Target }) => Target).join()
/** Of the last mount there, which covers those before it. */
const codeOptions = (mountinfo: string) =>
  mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, , , , at]) => at === '/code')?.[5]
    ?.split(',') ?? []

function isUser(is: (uid: number) => boolean): (containers: Containers) => boolean {
  return ({ run, check }) => {
    const [uid] = run.Config.User.split(':').map(Number)
    return is(uid ?? 0) && [run.Config.User, check.user].every((user) => user === `${uid}:${uid}`)
  }
}

function each(check: (one: Inspected) => boolean): (containers: Containers) => boolean {
  return ({ run, gateway }) => check(run) && check(gateway)
}

const ROWS = Array.from({ length: 32 }, (_, index) => `5.${index + 1}`)

it('has a row in the document for each item, and a check for each row', async () => {
  const rows = (await readFile(TABLE, 'utf8')).matchAll(/^\| (5\.\d+) \|/gm)
  expect([...rows].map(([, item]) => item)).toEqual(ROWS)
  for (const checks of [CHECKS, APART, WARM]) expect(Object.keys(checks)).toEqual(ROWS)
})

describe.each([
  { what: 'a run and its gateway', checks: CHECKS, can: needs('engine') },
  { what: 'a run that was begun warm', checks: WARM, warm: true, can: needs('engine') && needs('root') },
  {
    what: 'a run in an engine that shares no folder with the node',
    checks: APART,
    apart: true,
    can: needs('own-engine'),
  },
])('the container runtime section of the CIS Docker Benchmark, $what', ({ checks, can, warm, apart }) => {
  const dirs = runDirs()
  let docker: Docker
  let containers: Containers
  let stack: AsyncDisposableStack

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    if (!can) return
    const engine: OwnEngine | undefined = apart ? stack.use(await startOwnEngine()) : undefined
    docker = new Docker(engine?.config)
    const init: Partial<DockerExecutorInit> = { docker: engine?.config ?? {} }
    const executor = stack.use(warm ? warmDocker(dirs, init) : dockerExecutor(dirs, init))
    const grant = { memoryBytes: MEMORY_BYTES, cpuMillicores: 500 }
    const plan = await planFor(executor, dirs, 'setInterval(() => {}, 1000)', { grant, uid: UID, ports: [4000] })
    const { memoryBytes, diskBytes, pids } = plan.grant
    if (warm) await executor.keepWarm?.({ ...NOTHING, classes: [{ count: 1, memoryBytes, diskBytes, pids }] })
    const run: Run = stack.adopt(await executor.start(plan), ({ handle }) => executor.remove(handle))
    expect(run.start).toBe(warm ? 'warm start' : undefined)
    const { name, gateway } = run.handle as { name: string; gateway: string }
    const inspect = async (container: string) => (await docker.getContainer(container).inspect()) as Inspected
    const { SecurityOptions = [] } = (await docker.info()) as { SecurityOptions?: string[] }
    const engineHas = (what: string) => SecurityOptions.some((text) => text.includes(`name=${what}`))
    const inspected = await inspect(name)
    containers = {
      run: inspected,
      gateway: await inspect(gateway),
      mountinfo: await readFile(`/proc/${inspected.State.Pid}/mountinfo`, 'utf8'),
      check: await checkOf(run, name),
      engineHas,
    }
  }, 120_000)
  afterAll(() => stack.disposeAsync(), 60_000)

  /** Begins a check that goes on, and asks the engine about it. */
  async function checkOf(run: Run, name: string): Promise<Containers['check']> {
    using stop = new DisposableStack()
    const controller = stop.adopt(new AbortController(), (one) => one.abort())
    const options = { timeoutMs: 60_000, signal: controller.signal }
    run.check?.(['node', '-e', 'setInterval(() => {}, 1000)'], options).catch(() => {})
    const { ExecIDs } = await until(async () => {
      const info = await docker.getContainer(name).inspect()
      return isEmpty(info.ExecIDs) ? undefined : info
    })
    const { ProcessConfig } = await docker.getExec((ExecIDs as unknown as string[])[0] as string).inspect()
    return ProcessConfig as unknown as Containers['check']
  }

  it.skipIf(!can).each(ROWS)('%s holds', (item) => {
    expect(checks[item]?.(containers)).toBe(true)
  })
})
