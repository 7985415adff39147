import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import { entryFile } from '../../base/child-entry.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { CONNECT_RETRY_MS, GATEWAY_START_MS } from '../constants.ts'
import { EngineGoneError } from '../errors.ts'
import { type GatewayEndpoint, isGatewayOpen } from '../gateway/client.ts'
import type { Plan, PlanLifetime } from '../types.ts'
import type { DockerHandle } from './container-options.ts'
import { createContainer, type Engine, removeContainer, statusOf } from './engine.ts'
import type { EngineLocality } from './engine-locality.ts'
import { gatewayOptions } from './gateway-options.ts'
import type { Images } from './images/images.ts'
import { createStdioTransport, type StdioTransport } from './stdio-transport.ts'
import type { GatewayDisk } from './types.ts'

export type GatewayTarget = {
  readonly handle: DockerHandle
  /** The gateway was made first, and the run lives in its namespaces. Runs of earlier versions hold their own. */
  readonly gatewayFirst: boolean
  readonly lifetime?: PlanLifetime | undefined
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports' | 'egress'>
  readonly locality: EngineLocality
  readonly disk?: GatewayDisk | undefined
}

/** The gateways of all runs of an engine, and the transports to them. */
export type Gateways = {
  /**
   * There is a gateway, new or not, when this resolves. `beside`: done while it starts, once its container is there to be
   * named by another.
   */
  open(target: GatewayTarget, beside?: () => Promise<void>): Promise<void>
  /** Another in the place of one whose socket was taken away; nothing where the run would end with it. */
  restore(target: GatewayTarget): Promise<void>
  /** Where connections begin; a transport that was lost is made again for the next one. */
  endpoint(target: GatewayTarget): GatewayEndpoint
  /** Closes the transport. */
  close(handle: DockerHandle): void
  closeAll(): void
}

/** What runs in a gateway's container on an engine that shares no folder with us; it needs no other file. */
const STDIO_FILES = [
  ...['stdio-main', 'server', 'settings', 'handshake', 'mux', 'lifetime', 'disk', 'traffic', 'run-usage'],
  ...['egress', 'egress-session', 'egress-proxy', 'join-connection'],
]

export function createGateways(components: {
  engine: Engine
  images: Images
  clock: Clock
  nodeId: string
  filters(): Promise<boolean>
}): Gateways {
  const { engine, images, clock, nodeId } = components
  /** by the name of the gateway's container */
  const transports = new Map<string, Promise<StdioTransport>>()

  async function open(target: GatewayTarget, beside?: () => Promise<void>): Promise<void> {
    const { handle, plan, locality } = target
    const [found, image] = await Promise.all([
      engine.askMaybe((docker) => docker.getContainer(handle.gateway).inspect()),
      images.nodeImage(),
    ])
    if (found?.State.Running === true) return beside?.()
    // one that ended has ended its run
    if (found !== undefined && target.gatewayFirst) throw new UnavailableError('the run has ended')
    if (found !== undefined) await removeContainer(engine, handle.gateway)
    const transport = locality === 'local' ? await socketTransport(handle) : await stdioTransport()
    const seccomp = await components.filters()
    const { lifetime, disk } = target
    const options = gatewayOptions({ plan, handle, nodeId, image, transport, seccomp, lifetime, disk })
    await start(target, target.gatewayFirst ? options : joinedTo(handle.name, options), beside)
    if (plan.egress !== undefined) await untilOpen(target)
  }

  /** The run begins when there is a way out for it. */
  async function untilOpen(target: GatewayTarget): Promise<void> {
    const until = clock.monotonic() + GATEWAY_START_MS
    while (!(await isGatewayOpen(endpoint(target)).catch(() => false))) {
      if (clock.monotonic() > until) throw new UnavailableError('the gateway of the run did not start in time')
      await sleep(clock, CONNECT_RETRY_MS)
    }
  }

  function endpoint(target: GatewayTarget): GatewayEndpoint {
    return target.locality === 'local' ? target.handle.socket : () => begin(target)
  }

  async function start(
    { handle, gatewayFirst }: GatewayTarget,
    options: Docker.ContainerCreateOptions,
    beside: (() => Promise<void>) | undefined,
  ): Promise<void> {
    try {
      await createContainer(engine, options)
      const started = engine.ask((docker) => docker.getContainer(handle.gateway).start())
      await settleBoth(started, beside?.())
    } catch (error) {
      await removeContainer(engine, handle.gateway)
      // what the engine says to a gateway that comes first is its answer to the run
      const joins = !gatewayFirst && statusOf(error) !== undefined
      throw joins ? new UnavailableError('the run has ended', { cause: error }) : error
    }
  }

  async function attach(target: GatewayTarget): Promise<StdioTransport> {
    await open(target)
    try {
      return await createStdioTransport(engine, clock, target.handle.gateway)
    } catch (error) {
      if (error instanceof EngineGoneError || target.gatewayFirst) throw error
      // it may wait for a peer that attached before and is silent now: a new one does not
      await removeContainer(engine, target.handle.gateway)
      await open(target)
      return createStdioTransport(engine, clock, target.handle.gateway)
    }
  }

  async function transportOf(target: GatewayTarget): Promise<StdioTransport> {
    const { gateway } = target.handle
    const known = transports.get(gateway)
    if (known !== undefined) {
      const transport = await known.catch(() => undefined)
      if (transport !== undefined && !transport.closed) return transport
      // Several may have waited for the same.
      if (transports.get(gateway) !== known) return transportOf(target)
    }
    const made = attach(target)
    transports.set(gateway, made)
    made.catch(() => {
      if (transports.get(gateway) === made) transports.delete(gateway)
    })
    return made
  }

  /** When the engine has just come back, a transport may be lost between its making and its use: then another is made. */
  async function begin(target: GatewayTarget): Promise<Duplex> {
    const transport = await transportOf(target)
    return transport.closed ? (await transportOf(target)).open() : transport.open()
  }

  function close({ gateway }: Pick<DockerHandle, 'gateway'>): void {
    const transport = transports.get(gateway)
    transports.delete(gateway)
    transport?.then(
      (made) => made.close(),
      () => {},
    )
  }

  return {
    open,
    async restore(target) {
      if (target.gatewayFirst) return
      await removeContainer(engine, target.handle.gateway)
      await open(target)
    },
    endpoint,
    close,
    closeAll() {
      for (const gateway of transports.keys()) close({ gateway })
    },
  }
}

/** Where one fails, it waits for the other: nothing is made any more once this has thrown. */
async function settleBoth(first: Promise<unknown>, second: Promise<unknown> | undefined): Promise<void> {
  for (const result of await Promise.allSettled([first, second])) {
    if (result.status === 'rejected') throw result.reason
  }
}

/** Beside a run that holds its namespaces itself, as earlier versions made them. */
function joinedTo(run: string, options: Docker.ContainerCreateOptions): Docker.ContainerCreateOptions {
  return { ...options, HostConfig: { ...options.HostConfig, NetworkMode: `container:${run}` } }
}

export async function socketTransport({ socket }: DockerHandle) {
  await rm(socket, { force: true })
  const socketDir = dirname(socket)
  // The gateway is another user; the folder above is private to the node.
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
