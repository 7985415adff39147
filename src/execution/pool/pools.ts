import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { formatAddress } from '../../../protocols/address.ts'
import type { Clock } from '../../base/clock.ts'
import { InputError, NotFoundError, UnavailableError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { NODE_IMAGE } from '../constants.ts'
import { createContainer, type Engine, reasonOf, removeContainer, statusOf } from '../docker/engine.ts'
import { statOf } from '../docker/file-stat.ts'
import { wishesOf } from '../docker/images/image-wishes.ts'
import { hasSeccomp } from '../docker/machine.ts'
import { RunRefusedError } from '../errors.ts'
import { placesOf, poolOptions, SHIM_BYTES } from './container.ts'
import type { PoolData } from './data.ts'
import { execToEnd } from './exec.ts'
import { containerName, isOwner, POOL_LABEL, poolKey, readPoolName } from './names.ts'
import { runsIn, usersOf } from './run-specs.ts'
import { DATA, tool } from './scripts.ts'
import { ensureTools, toolsAt } from './tools.ts'
import type { PoolExecutorInit, PoolSpec, Pools, PoolView } from './types.ts'

/** Node's own start beside that of a run. */
const MIN_MEMORY_BYTES = SHIM_BYTES + 32 * 2 ** 20
const MIN_PIDS = 32
const PROBE_MS = 30_000
/** A pool's container, as runs find it. */
export type OpenPool = {
  readonly container: string
  readonly running: boolean
  /** where its container has the programs that it was made with */
  readonly tools: string
  readonly env: readonly string[]
  /** the engine's id */
  readonly image: string
  /** its services keep something */
  readonly hasData: boolean
}

export type PoolStore = Pools & {
  /** Starts it if need be. Throws a RunRefusedError for another's, an UnavailableError where there is none of this name. */
  open(name: string, author: string): Promise<OpenPool>
  find(name: string): Promise<OpenPool | undefined>
  /** Before runs are adopted: what a killed node has left of data. */
  sweepData(): Promise<void>
  /** Folders of the runs of a pool, and of all pools there are folders of. */
  runsDir(name: string): string
  folders(): Promise<string[]>
  tools(): Promise<string>
}

type PoolStoreComponents = {
  readonly engine: Engine
  readonly clock: Clock
  readonly data: PoolData
  readonly nodeImage: () => Promise<string>
}

export function createPools(
  { engine, clock, data, nodeImage }: PoolStoreComponents,
  init: Pick<PoolExecutorInit, 'nodeId' | 'poolsDir' | 'codeDirs' | 'logsDir'>,
): PoolStore {
  const { ask, askMaybe } = engine
  const { nodeId, poolsDir } = init
  const toolsDir = join(poolsDir, 'tools')
  let made: Promise<string> | undefined
  const runsDir = (name: string) => join(poolsDir, poolKey(name), 'runs')

  async function folders(): Promise<string[]> {
    const keys = (await readdir(poolsDir).catch(() => [])).filter((key) => /^[0-9a-f]{16}$/.test(key))
    return keys.map((key) => join(poolsDir, key, 'runs'))
  }

  const containers = () =>
    ask((docker) => docker.listContainers({ all: true, filters: { label: [`${POOL_LABEL.node}=${nodeId}`] } }))

  function tools(): Promise<string> {
    made ??= mkdir(toolsDir, { recursive: true, mode: 0o755 }).then(() => ensureTools(toolsDir, versionsInUse))
    made.catch(() => {
      made = undefined
    })
    return made
  }

  async function versionsInUse(): Promise<ReadonlySet<string>> {
    const ofPools = (await containers()).map(({ Labels }) => Labels[POOL_LABEL.tools] ?? '')
    const ofRuns = (await Promise.all((await folders()).map(runsIn))).flat().map(({ tools }) => tools)
    return new Set([...ofPools, ...ofRuns])
  }

  async function inspect(name: string): Promise<Docker.ContainerInspectInfo | undefined> {
    return askMaybe((docker) => docker.getContainer(containerName(nodeId, name)).inspect())
  }

  async function viewOf({ Config, HostConfig, State }: Docker.ContainerInspectInfo): Promise<PoolView> {
    const name = Config.Labels[POOL_LABEL.name] ?? ''
    const { owner, toolchains } = readPoolName(name)
    return {
      name,
      owner: formatAddress(owner),
      toolchains,
      image: Config.Labels[POOL_LABEL.image] ?? '',
      memoryBytes: HostConfig.Memory ?? 0,
      cpuMillicores: Math.round((HostConfig.NanoCpus ?? 0) / 1_000_000),
      pids: HostConfig.PidsLimit ?? 0,
      ...dataOf(Config.Labels),
      running: State.Running,
      services: State.Running ? (await runsIn(runsDir(name))).map(({ service }) => service) : [],
    }
  }

  async function imageIdOf(image: string): Promise<string> {
    if (image === NODE_IMAGE) return nodeImage()
    const found = await askMaybe((docker) => docker.getImage(image).inspect())
    if (found !== undefined) return found.Id
    throw new InputError(`the Docker engine has no image ${JSON.stringify(image)}: type "docker pull ${image}" first`)
  }

  async function startContainer(container: string): Promise<void> {
    try {
      await ask((docker) => docker.getContainer(container).start())
    } catch (error) {
      // 304: it runs already
      if (statusOf(error) !== 304) throw error
    }
  }

  /** Its data is made first, and goes again where there is no container for it. */
  async function makeWithData(spec: PoolSpec, container: string): Promise<void> {
    const { name, dataBytes } = spec
    if (dataBytes === undefined) return make(spec, container)
    const isNew = await data.make(name, dataBytes)
    try {
      await make(spec, container, await data.mount(name))
    } catch (error) {
      await (isNew ? data.remove(name) : data.unmount(name)).catch(() => {})
      throw error
    }
  }

  async function make(spec: PoolSpec, container: string, mounted?: string): Promise<void> {
    const [image, version, info] = await Promise.all([imageIdOf(spec.image), tools(), ask((docker) => docker.info())])
    const dirs = { tools: toolsDir, runs: runsDir(spec.name), logs: init.logsDir, codes: init.codeDirs, data: mounted }
    for (const dir of [dirs.runs, dirs.logs, ...dirs.codes]) await mkdir(dir, { recursive: true, mode: 0o700 })
    const { volumes } = await wishesOf(engine, image)
    const env = (await ask((docker) => docker.getImage(image).inspect())).Config?.Env ?? []
    const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.join(' ') : ''
    const has = {
      seccomp: hasSeccomp(info),
      apparmor: security.includes('apparmor'),
      swap: info.SwapLimit === true || info.CgroupVersion === '2',
    }
    const about = { spec, name: container, nodeId, image, env, volumes, tools: version, dirs, engine: has }
    const options = poolOptions(about)
    await createContainer(engine, options)
    try {
      await refuseLinks(container, placesOf(options))
      await startContainer(container)
      await probe(container, toolsAt(version))
      if (mounted !== undefined) await probeData(container, toolsAt(version))
    } catch (error) {
      await removeContainer(engine, container)
      throw error
    }
  }

  async function refuseLinks(container: string, places: readonly string[]): Promise<void> {
    for (const place of places) {
      if (!(await statOf(engine, container, place))?.linkTarget) continue
      throw new InputError(`the image has a link at ${place}, where a pool mounts: take one with no link there`)
    }
  }

  /** Does what is done for each run: a kernel, or an engine, may not let root in a container do it. */
  async function probe(container: string, at: string): Promise<void> {
    const namespaces = [...tool(at, 'unshare'), '--net', '--ipc', '--uts', '--mount', '--pid', '--fork', '--']
    const command = [...namespaces, ...tool(at, 'mount'), '-i', '-t', 'proc', '-o', 'ro', 'proc', '/proc']
    const code = await execToEnd(engine, container, { user: '0:0', command, clock, timeoutMs: PROBE_MS })
    if (code === 0) return
    throw new InputError(
      'this Docker engine lets root in a container make no namespaces, so it can have no pools: a rootless engine cannot',
    )
  }

  /** An engine in another mount namespace would show it an empty folder of this machine's disk. */
  async function probeData(container: string, at: string): Promise<void> {
    const command = [...tool(at, 'sh'), '-c', `[ -d ${DATA}/lost+found ]`]
    const code = await execToEnd(engine, container, { user: '0:0', command, clock, timeoutMs: PROBE_MS })
    if (code === 0) return
    throw new InputError(
      'this Docker engine does not see what the node mounts, so its pools can have no data: start it in the mount namespace of the engine (in a unit of systemd: without PrivateTmp, PrivateDevices and ProtectSystem)',
    )
  }

  function openPool({ Name, Image, State, Config }: Docker.ContainerInspectInfo): OpenPool {
    const version = Config.Labels[POOL_LABEL.tools] ?? ''
    return {
      container: Name.replace(/^\//, ''),
      running: State.Running,
      tools: toolsAt(version),
      env: JSON.parse(Config.Labels[POOL_LABEL.env] ?? '[]'),
      image: Image,
      hasData: Config.Labels[POOL_LABEL.data] !== undefined,
    }
  }

  return {
    runsDir,
    tools,
    async create(spec) {
      readPoolName(spec.name)
      if (process.getuid?.() !== 0) throw new InputError('a node that is not root can have no pools: start it as root')
      if (spec.memoryBytes < MIN_MEMORY_BYTES)
        throw new InputError(
          `the pool's memory (--memory) is ${formatBytes(spec.memoryBytes)}; at least ${formatBytes(MIN_MEMORY_BYTES)} are needed, since the shim of each run takes ${formatBytes(SHIM_BYTES)}`,
        )
      if (spec.pids < MIN_PIDS)
        throw new InputError(`the pool's pids are ${spec.pids}; at least ${MIN_PIDS} are needed`)
      if ((await inspect(spec.name)) !== undefined)
        throw new InputError(
          `there is a pool ${JSON.stringify(spec.name)} already: remove it first, with "thundercloud pool rm ${spec.name}"`,
        )
      const container = containerName(nodeId, spec.name)
      try {
        await makeWithData(spec, container)
      } catch (error) {
        if (statusOf(error) === undefined) throw error
        throw new InputError(`the Docker engine makes no such pool: ${reasonOf(error).slice(0, 300)}`, { cause: error })
      }
      const found = await inspect(spec.name)
      if (found === undefined) throw new UnavailableError('the pool was removed while it was made')
      return viewOf(found)
    },
    async list() {
      const found = await Promise.all(
        (await containers()).map(({ Id }) => askMaybe((docker) => docker.getContainer(Id).inspect())),
      )
      const views = await Promise.all(found.filter((each) => each !== undefined).map(viewOf))
      return views.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async remove(name, { force = false } = {}) {
      const found = await inspect(name)
      if (found === undefined) throw new NotFoundError(`there is no pool ${JSON.stringify(name.slice(0, 200))}`)
      const { services } = await viewOf(found)
      if (services.length > 0 && !force) {
        const what = services.length === 1 ? '1 service runs' : `${services.length} services run`
        throw new InputError(`${what} in the pool: stop ${services.length === 1 ? 'it' : 'them'}, or add --force`)
      }
      await removeContainer(engine, containerName(nodeId, name))
      await data.unmount(name)
      // the folders of runs stay until they are removed: an executor looks for them there
      if ((await readdir(runsDir(name)).catch(() => [])).length === 0)
        await rm(join(poolsDir, poolKey(name)), { recursive: true, force: true })
    },
    listData: () => data.list(),
    async removeData(name, { service } = {}) {
      if (service === undefined && (await inspect(name)) !== undefined)
        throw new InputError(`the pool ${name} is there: remove it first, with "thundercloud pool rm ${name}"`)
      const [user] = service === undefined ? [] : await usersOf(runsDir(name), service)
      if (user !== undefined) throw new InputError(`the service ${service} runs in the pool: stop it first`)
      await data.remove(name, service)
    },
    async sweepData() {
      const names = new Set((await containers()).map(({ Labels }) => Labels[POOL_LABEL.name]))
      await data.sweep((name) => names.has(name))
    },
    async find(name) {
      const found = await inspect(name)
      return found === undefined ? undefined : openPool(found)
    },
    async open(name, author) {
      const { owner } = readPoolName(name)
      if (!isOwner(owner, author)) throw new RunRefusedError(`the pool ${name} belongs to another author`)
      const found = await inspect(name)
      if (found === undefined) {
        throw new UnavailableError(
          `there is no pool ${name}: make it with "thundercloud pool create ${name} --image IMAGE", or take it out of CONTAINERS`,
        )
      }
      // before it starts: a container has what is mounted then
      if (found.Config.Labels[POOL_LABEL.data] !== undefined) await data.mount(name)
      try {
        if (!found.State.Running) await startContainer(found.Id)
      } catch (error) {
        if (statusOf(error) === undefined) throw error
        throw new UnavailableError(`the pool ${name} does not start: ${reasonOf(error)}`, { cause: error })
      }
      return openPool(found)
    },
    folders,
  }
}

function dataOf(labels: Readonly<Record<string, string>>): Pick<PoolSpec, 'dataBytes'> {
  const bytes = labels[POOL_LABEL.data]
  return bytes === undefined ? {} : { dataBytes: Number(bytes) }
}
