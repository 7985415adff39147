import { formatAddress } from '../../protocols/address.ts'
import { type Clock, sleep, systemClock } from '../base/clock.ts'
import { type Rng, seededRng } from '../base/rng.ts'
import { packEntries } from '../code/index.ts'
import type { ThundercloudNode } from '../node/index.ts'
import { createWire, type Link, type Wire } from './network/wire.ts'
import { type Member, memberOf, startMember } from './simulated-node.ts'
import type { Scenario } from './types.ts'

/** Between the starts of two nodes. */
const START_EVERY_MS = 100

type OnEvent = (event: {
  readonly ms: number
  readonly node: string
  readonly event: string
  readonly detail: unknown
}) => void

/** Plays a scenario from its start to its end. Time passes as the clock of the process says: see process/drive.ts. */
export async function play(scenario: Scenario, onEvent: OnEvent): Promise<void> {
  const clock = systemClock()
  const rng = seededRng(`${scenario.seed}/scenario`)
  const began = clock.monotonic()
  const wire = createWire(clock, linksOf(scenario))
  const members = Array.from({ length: scenario.nodes }, (_, index) => memberOf(scenario, index))
  const publishers = Array.from({ length: scenario.services }, () => rng.int(scenario.nodes))
  const authors = [...new Set(publishers)].map((index) =>
    formatAddress((members[index] as Member).identity.signer.address),
  )
  await using nodes = await startAll({ clock, wire, rng }, scenario, { members, authors }, (member, node) => {
    const { name } = member
    node.events.onAny((event, detail) => onEvent({ ms: clock.monotonic() - began, node: name, event, detail }))
  })
  const everyMs = (scenario.seconds * 500) / Math.max(1, scenario.services)
  for (const [index, publisher] of publishers.entries()) {
    await publish(nodes.list[publisher] as ThundercloudNode, index)
    await sleep(clock, everyMs)
  }
  await sleep(clock, Math.max(0, began + scenario.seconds * 1000 - clock.monotonic()))
}

async function startAll(
  { clock, wire, rng }: { clock: Clock; wire: Wire; rng: Rng },
  scenario: Scenario,
  { members, authors }: { members: readonly Member[]; authors: readonly string[] },
  onStarted: (member: Member, node: ThundercloudNode) => void,
): Promise<{ readonly list: readonly ThundercloudNode[] } & AsyncDisposable> {
  await using started = new AsyncDisposableStack()
  const list: ThundercloudNode[] = []
  for (const [index, member] of members.entries()) {
    const named = new Set(index === 0 ? [] : [index - 1])
    for (let link = 0; link < scenario.links && index > 0; link++) named.add(rng.int(index))
    const neighbours = [...named].map((other) => (members[other] as Member).multiaddr)
    const node = started.use(await startMember({ clock, wire }, member, scenario, { neighbours, authors }))
    onStarted(member, node)
    list.push(node)
    await sleep(clock, START_EVERY_MS)
  }
  const all = started.move()
  return { list, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Takes in the code of a small service, and announces it. */
async function publish(node: ThundercloudNode, index: number): Promise<void> {
  const text = Buffer.from(`service ${index}\n`.repeat(200))
  const file = { path: 'main.txt', size: text.byteLength, executable: false, open: () => [text] }
  const { code } = await node.addArchive(packEntries([file]))
  await node.publishManifest({
    name: `service-${index}`,
    desc: `service ${index} of a simulation`,
    code,
    toolchain: ['node.js'],
    expires: '1h',
    run: { command: ['serve', '8080'], kind: 'service', ports: [{ name: 'http', port: 8080, access: 'any' }] },
    resources: { memory: '64MiB', disk: '8MiB', cpu: '0.1', pids: 16 },
  })
}

/** The same between two hosts in both directions, and always. */
function linksOf({ seed, latencyMs: { min, max }, bytesPerSecond }: Scenario): (from: string, to: string) => Link {
  const links = new Map<string, Link>()
  return (from, to) => {
    const key = [from, to].sort().join(' ')
    const known = links.get(key)
    if (known !== undefined) return known
    const latencyMs = min + seededRng(`${seed}/link/${key}`).int(max - min + 1)
    const link = { latencyMs, bytesPerMs: bytesPerSecond / 1000 }
    links.set(key, link)
    return link
  }
}
