import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import { entryFile } from '../../base/child-entry.ts'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import type { DoorWay } from '../gateway/client.ts'
import type { Plan, PlanLifetime } from '../types.ts'
import type { BuildDisk } from './build-disk.ts'
import { type DockerHandle, doorOptions } from './container-options.ts'
import { createContainer, type Engine, removeContainer, statusOf } from './engine.ts'
import type { Place } from './engine-locality.ts'
import type { Images } from './images.ts'
import { type Carrier, createCarrier } from './stdio-transport.ts'

export type DoorTarget = {
  readonly handle: DockerHandle
  /** The gateway was made first, and the run lives in its namespaces. Runs of earlier versions hold their own. */
  readonly gatewayFirst: boolean
  readonly lifetime?: PlanLifetime | undefined
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports'>
  readonly place: Place
  /** of a build: the file system of its code, which the gateway holds */
  readonly disk?: BuildDisk['driver'] | undefined
}

/** The doors of all runs of an engine, and the ways to them. */
export type Doors = {
  /** A gateway stands, of whatever age, when this resolves. */
  open(target: DoorTarget): Promise<void>
  /** Another in the place of one whose socket was taken away; nothing where the run would end with it. */
  restore(target: DoorTarget): Promise<void>
  /** What is knocked at; a way that was lost is made anew by the next who knocks. */
  way(target: DoorTarget): DoorWay
  /** Nobody goes this way any more. */
  close(handle: DockerHandle): void
  closeAll(): void
}

/** What runs in a door's container beside an engine that shares no folder with us; it needs no other file. */
const STDIO_FILES = ['stdio-main', 'server', 'handshake', 'mux', 'lifetime', 'disk']

export function createDoors(components: {
  engine: Engine
  images: Images
  clock: Clock
  nodeId: string
  filters(): Promise<boolean>
}): Doors {
  const { engine, images, clock, nodeId } = components
  /** by the door's name */
  const carriers = new Map<string, Promise<Carrier>>()

  async function open(target: DoorTarget): Promise<void> {
    const { handle, plan, place } = target
    const found = await engine.askMaybe(engine.docker.getContainer(handle.door).inspect())
    if (found?.State.Running === true) return
    // one that ended has ended its run
    if (found !== undefined && target.gatewayFirst) throw new UnavailableError('the run has ended')
    await removeContainer(engine, handle.door)
    const image = await images.nodeImage()
    const carrier = place === 'here' ? await socketCarrier(handle) : await stdioCarrier()
    const seccomp = await components.filters()
    const { lifetime, disk } = target
    const options = doorOptions({ plan, handle, nodeId, image, carrier, seccomp, lifetime, disk })
    await start(target, target.gatewayFirst ? options : joinedTo(handle.name, options))
  }

  async function start({ handle, gatewayFirst }: DoorTarget, options: Docker.ContainerCreateOptions): Promise<void> {
    try {
      const door = await engine.ask(createContainer(engine, options))
      await engine.ask(door.start())
    } catch (error) {
      await removeContainer(engine, handle.door)
      // what the engine says to a gateway that comes first is its answer to the run
      const joins = !gatewayFirst && statusOf(error) !== undefined
      throw joins ? new UnavailableError('the run has ended', { cause: error }) : error
    }
  }

  async function attach(target: DoorTarget): Promise<Carrier> {
    await open(target)
    try {
      return await createCarrier(engine, clock, target.handle.door)
    } catch (error) {
      if (error instanceof EngineGoneError || target.gatewayFirst) throw error
      // It may hang on one who attached before and is silent now: a fresh one hangs on nobody.
      await removeContainer(engine, target.handle.door)
      await open(target)
      return createCarrier(engine, clock, target.handle.door)
    }
  }

  async function carrierOf(target: DoorTarget): Promise<Carrier> {
    const { door } = target.handle
    const known = carriers.get(door)
    if (known !== undefined) {
      const carrier = await known.catch(() => undefined)
      if (carrier !== undefined && !carrier.closed) return carrier
      // Several may have waited for the same.
      if (carriers.get(door) !== known) return carrierOf(target)
    }
    const made = attach(target)
    carriers.set(door, made)
    made.catch(() => {
      if (carriers.get(door) === made) carriers.delete(door)
    })
    return made
  }

  /** A carrier may be lost between its making and its use, when the engine has just come back: then another is made. */
  async function begin(target: DoorTarget): Promise<Duplex> {
    const carrier = await carrierOf(target)
    return carrier.closed ? (await carrierOf(target)).open() : carrier.open()
  }

  function close({ door }: DockerHandle): void {
    const carrier = carriers.get(door)
    carriers.delete(door)
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
    way: (target) => (target.place === 'here' ? target.handle.socket : () => begin(target)),
    close,
    closeAll() {
      for (const door of carriers.keys()) close({ door, name: '', socket: '' })
    },
  }
}

/** Beside a run that holds its namespaces itself, as earlier versions made them. */
function joinedTo(run: string, options: Docker.ContainerCreateOptions): Docker.ContainerCreateOptions {
  return { ...options, HostConfig: { ...options.HostConfig, NetworkMode: `container:${run}` } }
}

async function socketCarrier({ socket }: DockerHandle) {
  await rm(socket, { force: true })
  const socketDir = dirname(socket)
  // The door is nobody there; the folder above lets in nobody but the node.
  await mkdir(socketDir, { recursive: true })
  await chmod(socketDir, 0o777)
  const file = entryFile(import.meta.url, '../gateway/socket-main')
  const script = { dir: dirname(file), file: basename(file) }
  return { kind: 'socket', script, socketDir, socketFile: basename(socket) } as const
}

async function stdioCarrier() {
  const paths = STDIO_FILES.map((name) => entryFile(import.meta.url, `../gateway/${name}`))
  const files = await Promise.all(paths.map(async (path) => [basename(path), await readFile(path, 'utf8')] as const))
  return { kind: 'stdio', main: basename(paths[0] as string), files: Object.fromEntries(files) } as const
}
