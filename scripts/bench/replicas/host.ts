import { addressOfPeerId, formatAddress, peerIdBytes } from '../../../protocols/address.ts'
import type { Announcement } from '../../../protocols/announcement.ts'
import { claimDistance } from '../../../protocols/claims.ts'
import { type CID, compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { newKeyPem } from '../../../src/config/index.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB } from '../../../test/fixtures/node/nodes.ts'
import { signerOf } from '../../vectors/kit/kit.ts'

/** `near`: the first of them are to be the nearest nodes to the service; so many as it says. */
export type Publication = {
  readonly names: readonly string[]
  readonly replicas: number
  readonly restart: string
  readonly near?: { readonly first: number; readonly peers: readonly string[] }
}
/** What the nodes of a host are asked to do, and what they answer. */
export type ToHost =
  | ({ readonly do: 'publish' } & Publication)
  | { readonly do: 'look'; readonly ids: readonly string[] }
  | { readonly do: 'count-peers' }
/** Per service: what each node says of it, with its run; and how often a process was begun for it. */
export type Look = readonly { readonly nodes: readonly NodeState[]; readonly starts: Starts }[]
/** `again`: those after the run had ended. */
export type Starts = { readonly first: number; readonly again: number }
export type NodeState = { readonly state: string; readonly runId: string | undefined; readonly restarts: number }
export type Ready = { readonly addresses: readonly string[]; readonly peers: readonly string[] }
/** The fewest peers that one of its nodes has. */
export type Connected = { readonly fewest: number }
export type FromHost = Ready | Connected | { readonly ids: readonly string[] } | Look

const TOTAL = { MEMORY: '128GiB', CPU: '512', DISK: '4GiB', PIDS: 65_536, RUNS: 512 }
/** In 64 MiB a Node.js that starts on a busy machine is killed now and then. */
const SIZE = { memory: '128MiB', disk: '1MiB', cpu: '0.1', pids: 16 }
const author = signerOf('replicas')

/** `root`: a folder that is kept. `others`: addresses that its nodes connect to. `beside`: a peer that its first node is the nearest to. */
export type HostSettings = {
  readonly root: string
  readonly address: string
  readonly count: number
  readonly others: readonly string[]
  readonly beside?: string | undefined
}

/** Nodes whose hashes begin with so many equal bits are nearer to each other than to any of twenty. */
const EQUAL_BITS = 10

/** The process of one host: its nodes are connected to each other, too. Ends with its parent. */
const { root, address, count, others, beside } = JSON.parse(process.argv[2] ?? '') as HostSettings
await using world = await createWorld(root)
const nodes: ThundercloudNode[] = []
const starts = new Map<string, Starts>()
const NONE: Starts = { first: 0, again: 0 }
const runner = {
  LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
  PREFER_TOOLCHAIN: { host: ['node.js'] },
  TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
}
while (nodes.length < count) {
  const STATIC_NODES = [...others, ...nodes.flatMap((one) => one.multiaddrs())]
  const made = await world.start(`n${nodes.length}`, {
    node: { LISTEN: [`/ip4/${address}/tcp/0`], QUOTAS: { NEW_PER_AUTHOR_PER_MINUTE: 1_000 } },
    runner: { ...runner, STATIC_NODES },
    ...(beside !== undefined && { identity: identityBeside(beside) }),
  })
  made.events.on('execution:state', ({ state, service, restarts, exitCode }) => {
    // with an exit code it says that a run has ended, and starts after a back-off
    if (state !== 'starting' || exitCode !== undefined) return
    const { first, again } = starts.get(service) ?? NONE
    starts.set(service, restarts === 0 ? { first: first + 1, again } : { first, again: again + 1 })
  })
  nodes.push(made)
}

/** A key whose hash begins as that of the peer does. */
function identityBeside(peer: string): string {
  const there = sha256(peerIdBytes(addressOfPeerId(peer)))
  for (;;) {
    const pem = newKeyPem()
    const here = sha256(peerIdBytes(ed25519Signer(pem).address))
    const bits = (bytes: Uint8Array) => ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
    if ((bits(here) ^ bits(there)) >> (16 - EQUAL_BITS) === 0) return pem
  }
}

async function publish({ names, replicas, restart, near }: Publication): Promise<FromHost> {
  const [publisher] = nodes as [ThundercloudNode]
  const code = await addFolder(publisher, HELLO_WEB)
  const make = (name: string, desc: string) => {
    const run = { command: ['node', 'server.js', name], kind: 'service', restart }
    return announce(author, { code, name, desc, replicas, run, resources: SIZE, replyTo: publisher.multiaddrs() })
  }
  const made = names.map((name) => {
    // its id follows from all that it says
    for (let tried = 0; ; tried++) {
      const one = make(name, `description ${tried}`)
      if (near === undefined || isNear(one, near)) return one
    }
  })
  for (const one of made) await publisher.receive(bytesOf(one), { asPublisher: true })
  return { ids: made.map(({ signed }) => signed.id.toString()) }
}

function isNear({ signed }: Announcement, { first, peers }: NonNullable<Publication['near']>): boolean {
  const nearest = peers.toSorted((a, b) => compareBytes(distance(a, signed.id), distance(b, signed.id)))
  return peers.slice(0, first).every((peer) => nearest.indexOf(peer) < first)
}

function distance(peer: string, service: CID): Uint8Array {
  return claimDistance(addressOfPeerId(peer), service)
}

function countPeers(): Connected {
  return { fewest: Math.min(...nodes.map((node) => node.peers().length)) }
}

function look(ids: readonly string[]): Look {
  const all = nodes.map((node) => new Map(node.services().map((service) => [service.id, service])))
  return ids.map((id) => ({
    starts: starts.get(id) ?? NONE,
    nodes: all.map((services) => {
      const { state = 'unknown', run } = services.get(id) ?? {}
      return { state, runId: run?.runId, restarts: run?.restarts ?? 0 }
    }),
  }))
}

async function answer(order: ToHost): Promise<FromHost> {
  switch (order.do) {
    case 'publish':
      return await publish(order)
    case 'look':
      return look(order.ids)
    case 'count-peers':
      return countPeers()
  }
}

const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
// Ctrl-C reaches this process, too: its runs end with it
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => over.resolve())
process.on('message', (order: ToHost) => {
  answer(order).then((value) => process.send?.(value), over.reject)
})
process.send?.({
  addresses: nodes.flatMap((node) => node.multiaddrs()),
  peers: nodes.map((node) => node.peerId),
} satisfies FromHost)
await over.promise
