import { type Clock, sleep, systemClock } from '../../base/clock.ts'
import type { SimEvent } from '../events.ts'
import { factsOf } from '../facts.ts'
import type { Crash } from '../machine/crash-points.ts'
import { createMachine } from '../machine/machine.ts'
import type { Wire } from '../network/types.ts'
import { createWire } from '../network/wire.ts'
import { type Plan, planOf } from '../plan/plan.ts'
import { trustedIn } from '../plan/policy.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { addressOf } from './acts.ts'
import { createActor } from './carry-out.ts'
import { delayOf } from './delay.ts'
import { outdatedIn } from './final-look.ts'
import { createGossipTap, type GossipTap, type KnownMessages, type NodeTraffic } from './gossip-tap.ts'
import { type HostedNode, hostNode } from './hosted-node.ts'
import { linksOf } from './links.ts'
import { type Member, memberOf, startMember } from './member.ts'
import { createServiceNumbers } from './service-numbers.ts'
import { createTranslator } from './translate.ts'

/** Between the starts of two nodes. */
const START_EVERY_MS = 100
/** From the last start to the scenario's first moment: gossip has made its mesh. */
const SETTLE_MS = 5000

export type NodeEvent = {
  /** since the scenario's first moment; less than 0 before, when the nodes start */
  readonly ms: number
  readonly node: string
  readonly event: string
  readonly detail: unknown
}

export type PlayOptions = {
  readonly onNodeEvent: (event: NodeEvent) => void
  readonly onEvent: (event: SimEvent) => void
}

export type Played = {
  readonly endedMs: number
  readonly crashPoints: readonly number[]
  readonly traffic: readonly (readonly [node: number, of: NodeTraffic])[]
}

/** Plays a scenario from its start to its end. Time passes as the clock of the process says: see process/drive.ts. */
export async function play(scenario: Scenario, { onNodeEvent, onEvent }: PlayOptions): Promise<Played> {
  const clock = systemClock()
  const plan = planOf(scenario)
  const wire = createWire(clock, { linkOf: linksOf(plan), delayMs: delayOf(scenario) })
  const members = Array.from({ length: scenario.nodes }, (_, index) => memberOf(scenario, index))
  const numbers = new Map(members.map(({ peerId }, index) => [peerId, index]))
  const { serviceOf } = factsOf(plan, true, 'simulated')
  const versions = createServiceNumbers()
  const { translate, register, resumed } = createTranslator({
    versions,
    nodeOf: (peer) => numbers.get(peer) ?? -1,
    isTask: (service) => serviceOf(service).kind === 'task',
  })
  let began = clock.monotonic() + scenario.nodes * START_EVERY_MS + SETTLE_MS
  const ms = () => clock.monotonic() - began
  let busyMs = 0
  const tell = (event: SimEvent) => {
    if (event.event === 'delivered') busyMs = event.ms
    onEvent(event)
  }
  let [started, over] = [false, false]
  let failure: { readonly error: unknown } | undefined
  const failed = (error: unknown) => {
    failure ??= { error }
  }
  const restart = async (host: HostedNode, downSeconds: number) => {
    await sleep(clock, downSeconds * 1000)
    if (!over) await host.start()
  }
  /** nodes whose machines lost their power, until they are up again */
  const powerless = new Set<number>()
  const messages: KnownMessages = new Map()
  const taps = members.map(() => createGossipTap(messages))
  await using hosts = createHosts({ clock, wire, taps }, plan, members, {
    onUp({ index, node, isKilled }) {
      const powerCut = powerless.delete(index)
      if (started) for (const each of resumed({ ms: ms(), node: index }, node.services(), powerCut)) tell(each)
      node.events.on('intake:emitted', (detail) => void (isKilled() || taps[index]?.onEmitted(detail)))
      node.events.onAny((event, detail) => {
        if (isKilled()) return
        onNodeEvent({ ms: ms(), node: (members[index] as Member).name, event, detail })
        const translated = translate({ ms: ms(), node: index }, event, detail)
        if (ms() >= 0) for (const each of translated) tell(each)
      })
    },
    onCrash(index, { downSeconds, powerCut }) {
      if (over) return
      if (powerCut) powerless.add(index)
      if (started) tell({ ms: ms(), node: index, event: 'crashed' })
      restart(hosts.list[index] as HostedNode, downSeconds).catch(failed)
    },
  })
  for (const host of hosts.list) {
    await host.start()
    await sleep(clock, START_EVERY_MS)
  }
  await sleep(clock, Math.max(0, began - clock.monotonic()))
  began = clock.monotonic()
  started = true

  const { carryOut } = createActor({
    ...{ clock, wire, members, nodes: hosts.list, versions },
    ...{ onEvent: tell, ms, onCode: register },
  })
  /** What its runner would say now; of a node that goes down meanwhile, nothing. */
  const look = async (index: number, host: HostedNode) => {
    const node = host.up
    if (node === undefined) return
    try {
      for (const one of await outdatedIn(node, versions.numberOf)) tell({ ms: ms(), node: index, ...one })
    } catch (error) {
      if (host.up === node) throw error
    }
  }
  const quietMs = (scenario.stop.quietSeconds ?? Number.POSITIVE_INFINITY) * 1000
  /** Answers whether it came so far: it ends before where all is quiet. */
  const reach = async (target: number) => {
    while (ms() < target) {
      if (ms() - busyMs >= quietMs) return false
      // timers have whole milliseconds
      await sleep(clock, Math.ceil(Math.min(target, busyMs + quietMs) - ms()))
      if (failure !== undefined) throw failure.error
    }
    return true
  }
  for (const action of plan.timeline) {
    if (!(await reach(action.ms))) break
    busyMs = ms()
    carryOut(action).catch(failed)
  }
  if (ms() - busyMs < quietMs) await reach(scenario.seconds * 1000)
  const endedMs = ms()
  for (const [index, host] of hosts.list.entries()) await look(index, host)
  over = true
  const traffic = taps.map((tap, node) => [node, tap.traffic()] as const)
  return { endedMs, crashPoints: hosts.list.map((host) => host.crashPoints), traffic }
}

type Hooks = {
  readonly onUp: (up: {
    readonly index: number
    readonly node: NonNullable<HostedNode['up']>
    readonly isKilled: () => boolean
  }) => void
  readonly onCrash: (index: number, crash: Crash) => void
}

/** All nodes, on machines of their own, before they are started. */
function createHosts(
  components: { clock: Clock; wire: Wire; taps: readonly GossipTap[] },
  { scenario, graph, groupOf, timeline }: Plan,
  members: readonly Member[],
  { onUp, onCrash }: Hooks,
): { readonly list: readonly HostedNode[] } & AsyncDisposable {
  const { authors, hubs } = trustedIn(timeline)
  const addresses = (nodes: readonly number[]) => nodes.map((node) => addressOf(members[node] as Member))
  const trusted = { authors: addresses(authors), hubs: addresses(hubs) }
  const { clock, taps } = components
  const list = members.map((member, index) => {
    const group = groupOf[index] as number
    const all = [...graph.neighbours.subarray(graph.offsets[index], graph.offsets[index + 1])]
    const crashes = scenario.crashes.filter(({ node }) => node === index)
    return hostNode(createMachine(components, { host: member.host, crashes, seed: scenario.seed }), {
      onCrash: (crash) => onCrash(index, crash),
      onUp: (node, isKilled) => onUp({ index, node, isKilled }),
      startNode(platform, start) {
        // at first, of two neighbours the one that starts later dials the other; one that comes back dials all
        const dialled = start === 0 ? all.filter((other) => other < index) : all
        const neighbours = dialled.map((other) => (members[other] as Member).multiaddr)
        const host = { ...platform.host, metrics: taps[index]?.metrics }
        return startMember({ clock, platform: { ...platform, host } }, member, {
          scenario,
          group,
          neighbours,
          trusted,
          start,
        })
      },
    })
  })
  return {
    list,
    async [Symbol.asyncDispose]() {
      // the newest first
      for (const host of list.toReversed()) await host[Symbol.asyncDispose]()
    },
  }
}
