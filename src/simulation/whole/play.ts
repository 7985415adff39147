import { formatAddress } from '../../../protocols/address.ts'
import { type Clock, sleep, systemClock } from '../../base/clock.ts'
import { type Rng, seededRng } from '../../base/rng.ts'
import { packEntries } from '../../code/index.ts'
import type { ThundercloudNode } from '../../node/index.ts'
import type { SimEvent } from '../events.ts'
import { createWire, type Link, type Wire } from '../network/wire.ts'
import { type Plan, planOf } from '../plan/plan.ts'
import type { Action, Publication } from '../plan/timeline.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { type Member, memberOf, startMember } from './member.ts'
import { createTranslator, nameOfService } from './translate.ts'

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

/** Plays a scenario from its start to its end. Time passes as the clock of the process says: see process/drive.ts. */
export async function play(scenario: Scenario, { onNodeEvent, onEvent }: PlayOptions): Promise<void> {
  const clock = systemClock()
  const plan = planOf(scenario)
  const wire = createWire(clock, linksOf(plan))
  const members = Array.from({ length: scenario.nodes }, (_, index) => memberOf(scenario, index))
  const numbers = new Map(members.map(({ peerId }, index) => [peerId, index]))
  const { translate } = createTranslator((peer) => numbers.get(peer) ?? -1)
  const publishers = plan.timeline.flatMap((action) => (action.do === 'publish' ? [action.node] : []))
  const authors = [...new Set(publishers)].map((index) =>
    formatAddress((members[index] as Member).identity.signer.address),
  )
  let began = clock.monotonic() + scenario.nodes * START_EVERY_MS + SETTLE_MS
  await using nodes = await startAll({ clock, wire }, plan, { members, authors }, (index, node) => {
    node.events.onAny((event, detail) => {
      const ms = clock.monotonic() - began
      onNodeEvent({ ms, node: (members[index] as Member).name, event, detail })
      const translated = translate({ ms, node: index }, event, detail)
      if (translated !== undefined && ms >= 0) onEvent(translated)
    })
  })
  await sleep(clock, Math.max(0, began - clock.monotonic()))
  began = clock.monotonic()
  const rng = seededRng(`${scenario.seed}/play`)
  for (const action of plan.timeline) {
    await sleep(clock, Math.max(0, began + action.ms - clock.monotonic()))
    await carryOut(action, { nodes: nodes.list, rng, onEvent, ms: () => clock.monotonic() - began })
  }
  await sleep(clock, Math.max(0, began + scenario.seconds * 1000 - clock.monotonic()))
}

async function startAll(
  components: { clock: Clock; wire: Wire },
  { scenario, graph, groupOf }: Plan,
  { members, authors }: { members: readonly Member[]; authors: readonly string[] },
  onStarted: (index: number, node: ThundercloudNode) => void,
): Promise<{ readonly list: readonly ThundercloudNode[] } & AsyncDisposable> {
  await using started = new AsyncDisposableStack()
  const list: ThundercloudNode[] = []
  const { clock } = components
  for (const [index, member] of members.entries()) {
    // of two neighbours the one that starts later dials the other
    const earlier = graph.neighbours
      .subarray(graph.offsets[index], graph.offsets[index + 1])
      .filter((other) => other < index)
    const neighbours = [...earlier].map((other) => (members[other] as Member).multiaddr)
    const group = groupOf[index] as number
    const node = started.use(await startMember(components, member, { scenario, group, neighbours, authors }))
    onStarted(index, node)
    list.push(node)
    await sleep(clock, START_EVERY_MS)
  }
  const all = started.move()
  return { list, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

type Stage = {
  readonly nodes: readonly ThundercloudNode[]
  readonly rng: Rng
  readonly onEvent: (event: SimEvent) => void
  readonly ms: () => number
}

async function carryOut(action: Action, { nodes, onEvent, ms }: Stage): Promise<void> {
  if (action.do !== 'publish') return
  const { service, node, of } = action
  onEvent({ ms: ms(), node, event: 'published', service, version: 1, depth: of.redirectionDepth })
  await publish(nodes[node] as ThundercloudNode, service, of)
}

/** Takes in the code of a small service, and announces it. */
async function publish(node: ThundercloudNode, service: number, of: Publication): Promise<void> {
  const text = Buffer.from(`service ${service}\n`.repeat(200))
  const file = { path: 'main.txt', size: text.byteLength, executable: false, open: () => [text] }
  const { code } = await node.addArchive(packEntries([file]))
  const run =
    of.kind === 'task'
      ? { command: ['work', String(of.workSeconds)], kind: 'task' as const }
      : {
          command: ['serve', '8080'],
          kind: 'service' as const,
          ports: [{ name: 'http', port: 8080, access: 'any' as const }],
        }
  await node.publishManifest({
    name: nameOfService(service),
    desc: 'x'.repeat(of.descLength),
    keywords: of.keywords,
    code,
    toolchain: of.toolchain,
    expires: of.lifeSeconds,
    replicas: of.replicas,
    depth: of.redirectionDepth,
    run,
    resources: { memory: of.memoryBytes, disk: '8MiB', cpu: of.cpuMillicores, pids: 16 },
  })
}

/** Between two hosts, always the same. */
function linksOf({ scenario, latencyMs }: Plan): (from: string, to: string) => Link {
  const bytesPerMs = scenario.links.bytesPerSecond / 1000
  const indexOf = (host: string) => {
    const [, high = 0, middle = 0, low = 0] = host.split('.').map(Number)
    return (high << 16) | (middle << 8) | low
  }
  return (from, to) => ({ latencyMs: latencyMs(indexOf(from), indexOf(to)), bytesPerMs })
}
