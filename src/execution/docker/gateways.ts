import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import { entryFile } from '../../base/child-entry.ts'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import type { GatewayEndpoint } from '../gateway/client.ts'
import type { Plan, PlanLifetime } from '../types.ts'
import type { BuildDisk } from './build-disk.ts'
import { type DockerHandle, gatewayOptions } from './container-options.ts'
import { createContainer, type Engine, removeContainer, statusOf } from './engine.ts'
import type { EngineLocality } from './engine-locality.ts'
import type { Images } from './images.ts'
import { createStdioTransport, type StdioTransport } from './stdio-transport.ts'

export type GatewayTarget = {
  readonly handle: DockerHandle
  /** The gateway was made first, and the run lives in its namespaces. Runs of earlier versions hold their own. */
  readonly gatewayFirst: boolean
  readonly lifetime?: PlanLifetime | undefined
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports'>
  readonly locality: EngineLocality
  /** of a build: the file system of its code, which the gateway holds */
  readonly disk?: BuildDisk['driver'] | undefined
}

/** The doors of all runs of an engine, and the ways to them. */
export type Gateways = {
  /** A gateway stands, of whatever age, when this resolves. */
  open(target: GatewayTarget): Promise<void>
  /** Another in the place of one whose socket was taken away; nothing where the run would end with it. */
  restore(target: GatewayTarget): Promise<void>
  /** What is knocked at; a way that was lost is made anew by the next who knocks. */
  endpoint(target: GatewayTarget): GatewayEndpoint
  /** Nobody goes this way any more. */
  close(handle: DockerHandle): void
  closeAll(): void
}

/** What runs in a door's container beside an engine that shares no folder with us; it needs no other file. */
const STDIO_FILES = ['stdio-main', 'server', 'handshake', 'mux', 'lifetime', 'disk']

export function createGateways(components: {
  engine: Engine
  images: Images
  clock: Clock
  nodeId: string
  filters(): Promise<boolean>
}): Gateways {
  const { engine, images, clock, nodeId } = components
  /** by the door's name */
  const transports = new Map<string, Promise<StdioTransport>>()

  async function open(target: GatewayTarget): Promise<void> {
    const { handle, plan, locality } = target
    const found = await engine.askMaybe((docker) => docker.getContainer(handle.door).inspect())
    if (found?.State.Running === true) return
    // one that ended has ended its run
    if (found !== undefined && target.gatewayFirst) throw new UnavailableError('the run has ended')
    await removeContainer(engine, handle.door)
    const image = await images.nodeImage()
    const carrier = locality === 'local' ? await socketTransport(handle) : await stdioTransport()
    const seccomp = await components.filters()
    const { lifetime, disk } = target
    const options = gatewayOptions({ plan, handle, nodeId, image, carrier, seccomp, lifetime, disk })
    await start(target, target.gatewayFirst ? options : joinedTo(handle.name, options))
  }

  async function start({ handle, gatewayFirst }: GatewayTarget, options: Docker.ContainerCreateOptions): Promise<void> {
    try {
      await createContainer(engine, options)
      await engine.ask((docker) => docker.getContainer(handle.door).start())
    } catch (error) {
      await removeContainer(engine, handle.door)
      // what the engine says to a gateway that comes first is its answer to the run
      const joins = !gatewayFirst && statusOf(error) !== undefined
      throw joins ? new UnavailableError('the run has ended', { cause: error }) : error
    }
  }

  async function attach(target: GatewayTarget): Promise<StdioTransport> {
    await open(target)
    try {
      return await createStdioTransport(engine, clock, target.handle.door)
    } catch (error) {
      if (error instanceof EngineGoneError || target.gatewayFirst) throw error
      // It may hang on one who attached before and is silent now: a fresh one hangs on nobody.
      await removeContainer(engine, target.handle.door)
      await open(target)
      return createStdioTransport(engine, clock, target.handle.door)
    }
  }

  async function transportOf(target: GatewayTarget): Promise<StdioTransport> {
    const { door } = target.handle
    const known = transports.get(door)
    if (known !== undefined) {
      const carrier = await known.catch(() => undefined)
      if (carrier !== undefined && !carrier.closed) return carrier
      // Several may have waited for the same.
      if (transports.get(door) !== known) return transportOf(target)
    }
    const made = attach(target)
    transports.set(door, made)
    made.catch(() => {
      if (transports.get(door) === made) transports.delete(door)
    })
    return made
  }

  /** A carrier may be lost between its making and its use, when the engine has just come back: then another is made. */
  async function begin(target: GatewayTarget): Promise<Duplex> {
    const carrier = await transportOf(target)
    return carrier.closed ? (await transportOf(target)).open() : carrier.open()
  }

  function close({ door }: DockerHandle): void {
    const carrier = transports.get(door)
    transports.delete(door)
    carrier?.then(
      (made) => made.close(),
      () => {},
    )
  }

  return {
    open,
    async restore(target) {
      if (target.gatewayFirst) return
      await removeContainer(engine, target.handle.door)
      await open(target)
    },
    endpoint: (target) => (target.locality === 'local' ? target.handle.socket : () => begin(target)),
    close,
    closeAll() {
      for (const door of transports.keys()) close({ door, name: '', socket: '' })
    },
  }
}

/** Beside a run that holds its namespaces itself, as earlier versions made them. */
function joinedTo(run: string, options: Docker.ContainerCreateOptions): Docker.ContainerCreateOptions {
  return { ...options, HostConfig: { ...options.HostConfig, NetworkMode: `container:${run}` } }
}

async function socketTransport({ socket }: DockerHandle) {
  await rm(socket, { force: true })
  const socketDir = dirname(socket)
  // The door is nobody there; the folder above lets in nobody but the node.
  await mkdir(socketDir, { recursive: true })
  await chmod(socketDir, 0o777)
  const file = entryFile(import.meta.url, '../gateway/socket-main')
  const script = { dir: dirname(file), file: basename(file) }
  return { kind: 'socket', script, socketDir, socketFile: basename(socket) } as const
}

async function stdioTransport() {
  const paths = STDIO_FILES.map((name) => entryFile(import.meta.url, `../gateway/${name}`))
  const files = await Promise.all(paths.map(async (path) => [basename(path), await readFile(path, 'utf8')] as const))
  return { kind: 'stdio', main: basename(paths[0] as string), files: Object.fromEntries(files) } as const
}
