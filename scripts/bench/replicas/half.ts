import { formatAddress } from '../../../protocols/address.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB } from '../../../test/fixtures/node/nodes.ts'
import { signerOf } from '../../vectors/kit/kit.ts'

/** What a half of the mesh is asked to do, and what it answers. */
export type ToHalf =
  | { readonly do: 'publish'; readonly names: readonly string[]; readonly replicas: number; readonly restart: string }
  | { readonly do: 'look'; readonly ids: readonly string[] }
/** Per service: what each node says of it, with its run; and how often a process was begun for it. */
export type Look = readonly { readonly nodes: readonly NodeState[]; readonly starts: number }[]
export type NodeState = { readonly state: string; readonly runId: string | undefined; readonly restarts: number }
export type FromHalf = { readonly addresses: readonly string[] } | { readonly ids: readonly string[] } | Look

const TOTAL = { MEMORY: '64GiB', CPU: '512', DISK: '4GiB', PIDS: 65_536, RUNS: 512 }
const SIZE = { memory: '64MiB', disk: '1MiB', cpu: '0.1', pids: 16 }
const author = signerOf('replicas')

/** The process of one half of the mesh: so many nodes on one host, connected to each other and to these. Ends with its parent. */
const [host = '', count = '1', ...others] = process.argv.slice(2)
await using world = await createWorld()
const nodes: ThundercloudNode[] = []
const starts = new Map<string, number>()
const runner = {
  LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
  PREFER_TOOLCHAIN: { host: ['node.js'] },
  TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
}
while (nodes.length < Number(count)) {
  const STATIC_NODES = [...others, ...nodes.flatMap((one) => one.multiaddrs())]
  const made = await world.start(`n${nodes.length}`, {
    node: { LISTEN: [`/ip4/${host}/tcp/0`], QUOTAS: { NEW_PER_AUTHOR_PER_MINUTE: 1_000 } },
    runner: { ...runner, STATIC_NODES },
  })
  made.events.on('execution:state', ({ state, service }) => {
    if (state === 'starting') starts.set(service, (starts.get(service) ?? 0) + 1)
  })
  nodes.push(made)
}

async function publish({ names, replicas, restart }: Extract<ToHalf, { do: 'publish' }>): Promise<FromHalf> {
  const [publisher] = nodes as [ThundercloudNode]
  const code = await addFolder(publisher, HELLO_WEB)
  const made = names.map((name) => {
    const run = { command: ['node', 'server.js', name], kind: 'service', restart }
    return announce(author, { code, name, replicas, run, resources: SIZE, replyTo: publisher.multiaddrs() })
  })
  for (const one of made) await publisher.receive(bytesOf(one), { asPublisher: true })
  return { ids: made.map(({ signed }) => signed.id.toString()) }
}

function look(ids: readonly string[]): Look {
  const all = nodes.map((node) => new Map(node.services().map((service) => [service.id, service])))
  return ids.map((id) => ({
    starts: starts.get(id) ?? 0,
    nodes: all.map((services) => {
      const { state = 'unknown', run } = services.get(id) ?? {}
      return { state, runId: run?.runId, restarts: run?.restarts ?? 0 }
    }),
  }))
}

const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
// Ctrl-C reaches this process, too: its runs end with it
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => over.resolve())
process.on('message', async (order: ToHalf) => {
  const answer = order.do === 'publish' ? publish(order) : look(order.ids)
  Promise.resolve(answer).then((value) => process.send?.(value), over.reject)
})
process.send?.({ addresses: nodes.flatMap((node) => node.multiaddrs()) } satisfies FromHalf)
await over.promise
