import { once } from 'node:events'
import { messageOf } from '../base/errors.ts'
import {
  type Configuration,
  clientAccessReader,
  type HubSettings,
  loadConfiguration,
  loadIdentity,
  loadToken,
  type Notice,
} from '../config/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { ThundercloudNode } from '../node/types.ts'
import { refuseDuplicateNode } from './backup/refuse-duplicate-node.ts'
import type { Cli } from './cli.ts'
import { removeStaleEndpoints } from './client/endpoint.ts'
import { warnOfClock, watchClock } from './clock-warning.ts'
import { collectSeldom, releaseHeap } from './heap.ts'
import { openAlerts } from './open-alerts.ts'
import { openApi } from './open-api.ts'
import { formatEvent } from './output/format-event.ts'
import { lineTime } from './output/log.ts'
import { countScans } from './scan-counters.ts'
import { createServiceManager, type ServiceManager } from './systemd.ts'

/** A node that started has joined its mesh and taken up its runs by then. */
const SETTLED_MS = 20_000

export type ServeInit = {
  /** the operator's folder */
  readonly folder: string
  readonly stopRuns: boolean
  /** it is a hub, too */
  readonly hub?: HubSettings | undefined
}

/** Runs the node of a folder, with its API, until a signal stops the program, and prints what happens meanwhile. */
export async function serveNode(cli: Cli, { folder, stopRuns, hub }: ServeInit): Promise<void> {
  const { configuration, notices } = await read(cli, folder)
  const log = cli.log(configuration.logLevel)
  for (const notice of notices) note(cli, log, notice)
  const identity = await loadIdentity(folder, { signal: cli.signal })
  // read before anything starts: a folder without a token is a mistake of the operator's
  const token = configuration.api === false ? undefined : await loadToken(folder, { signal: cli.signal })

  await refuseDuplicateNode(cli, { configuration, identity, log })
  collectSeldom()
  await removeStaleEndpoints(configuration.dataDir)
  await using stack = new AsyncDisposableStack()
  const metrics = configuration.metrics ? (await import('../metrics/index.ts')).createMetrics() : undefined
  const node = await makeNode(cli, { configuration, identity, log, stopRuns, folder, hub, metrics })
  stack.use(node)
  if (metrics !== undefined) stack.use(metrics.observe(node))
  const scans = hub === undefined ? undefined : stack.use(countScans(node))
  const printer = stack.use(printEvents(cli, node))
  const alerts = stack.use(openAlerts(cli, { configuration, node, log: log.child('alerts') }))
  const served = await openApi({ configuration, node, metrics, alerts, token, log: log.child('api'), cli, stack })
  await printReady(cli, node, served)
  const manager = createServiceManager({ clock: cli.clock, log, env: cli.env })
  await manager.ready(() => node.health(), cli)
  printer.begin()
  // asks other machines, which may take its time
  let warned = false
  const warnOnce = (words: string) => {
    if (!warned) log.warn(words)
    warned = true
  }
  void warnOfClock(cli, { folder: configuration.dir, origins: configuration.policy.staticNodes.origins }, warnOnce)
  stack.use(watchClock(node.events, warnOnce))
  stack.use(cli.clock.after(SETTLED_MS, releaseHeap))
  stack.use(cli.onReload(() => void reload(cli, node, log, manager)))
  if (!cli.signal.aborted) await once(cli.signal, 'abort')
  await manager.stopping()
  if (scans !== undefined) cli.out.note(scans.text())
  cli.out.note('Stopping. Ctrl-C again ends it at once.')
}

async function read(cli: Cli, folder: string) {
  const loaded = await loadConfiguration(folder, { env: cli.env, signal: cli.signal })
  const { logLevel } = cli.globals
  if (logLevel === undefined) return loaded
  return { ...loaded, configuration: { ...loaded.configuration, logLevel } }
}

type Making = {
  configuration: Configuration
  identity: Awaited<ReturnType<typeof loadIdentity>>
  log: ReturnType<Cli['log']>
  stopRuns: boolean
  folder: string
  hub: HubSettings | undefined
  metrics: Metrics | undefined
}

async function makeNode(
  cli: Cli,
  { configuration, identity, log, stopRuns, folder, hub, metrics }: Making,
): Promise<ThundercloudNode> {
  using _progress = cli.out.progress('starting')
  const reread = async () => {
    const { configuration: next, notices } = await read(cli, folder)
    for (const notice of notices) logNotice(log, notice)
    return next
  }
  return await cli.factories.node(
    { clock: cli.clock, rng: cli.rng, log, platform: metrics && { host: { metrics: metrics.libp2p } } },
    {
      ...{ configuration, identity, version: cli.version, reread, stopRunsOnClose: stopRuns, hub },
      clientAccess: clientAccessReader(cli.env),
    },
  )
}

type ToNote = Partial<Notice> & Pick<Notice, 'message'>

/** With --json nothing is printed for people: the log has it. */
function note({ out }: Cli, log: ReturnType<Cli['log']>, notice: ToNote): void {
  if (out.json) logNotice(log, notice)
  else out.note(`Note: ${notice.message}`)
}

function logNotice(log: ReturnType<Cli['log']>, { message, ...where }: ToNote): void {
  log.warn(message, where)
}

async function printReady(
  cli: Cli,
  node: ThundercloudNode,
  { url: api, socket }: { url: string | undefined; socket: string },
): Promise<void> {
  const { peerId, address } = node
  const multiaddrs = node.multiaddrs()
  const { executors, network } = await node.health()
  cli.out.item({ event: 'ready', peerId, address, multiaddrs, api: api ?? null, socket }, () =>
    [
      `peer id    ${peerId}`,
      `address    ${address}`,
      `network    ${network}`,
      ...(multiaddrs.length === 0 ? ['listening  nowhere'] : multiaddrs.map((text) => `listening  ${text}`)),
      `api        ${api ?? 'only by the socket'}`,
      `socket     ${socket}`,
      ...executors.map(
        ({ name, available, detail }) => `${name.padEnd(10)} ${available ? detail : `not available: ${detail}`}`,
      ),
      'Ready. Ctrl-C stops it.',
    ].join('\n'),
  )
}

/** Events are held back until `begin`: readers of the output find `ready` first. */
function printEvents({ out, clock }: Cli, node: ThundercloudNode): Disposable & { begin(): void } {
  let waiting: (() => void)[] | undefined = []
  const subscription = node.events.onAny((name, detail) => {
    const print = () => {
      if (out.json) return out.item({ event: name, ...detail }, () => '')
      const line = formatEvent(name, detail, out.terminal)
      if (line !== undefined) out.item({}, () => `${lineTime(clock.now(), out.terminal)}  ${line}`)
    }
    if (waiting === undefined) print()
    else waiting.push(print)
  })
  return {
    begin() {
      for (const print of waiting ?? []) print()
      waiting = undefined
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  }
}

async function reload(
  { out, clock }: Cli,
  node: ThundercloudNode,
  log: ReturnType<Cli['log']>,
  manager: ServiceManager,
): Promise<void> {
  const at = () => lineTime(clock.now(), out.terminal)
  await manager.reloading()
  try {
    await node.reload()
    if (out.json) log.info('policy and services were read again and are in force')
    else out.note(`${at()}  Policy and services were read again and are in force.`)
  } catch (error) {
    if (out.json) log.error('nothing was changed by a reload', { reason: messageOf(error) })
    else out.note(`${at()}  Nothing changed: ${messageOf(error)}`)
  }
  await manager.reloaded()
}
