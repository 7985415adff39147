import { parseCid } from '../../../protocols/encoding.ts'
import { collectSeldom } from '../../../src/cli/heap.ts'
import { copyAt, idOf, makeService, newSigner } from '../../../test/fixtures/mesh/gossip-services.ts'
import { createWorld } from '../../../test/fixtures/node/nodes.ts'
import { randomArchive } from '../archive/peers.ts'

/** What a node is asked to do, and what it answers. */
export type ToNode =
  | { readonly do: 'add'; readonly bytes: number }
  | { readonly do: 'announce'; readonly count: number; readonly everyMs: number }
  | { readonly do: 'take-arrivals' }
  | { readonly do: 'start-fetching'; readonly code: string }
  | { readonly do: 'stop-fetching' }
/** Times are ms of the machine's monotonic clock, which all processes share. */
export type Moments = readonly (readonly [id: string, atMs: number])[]
export type Arrivals = { readonly moments: Moments; readonly lost: readonly string[] }
export type FromNode =
  | { readonly address: string }
  | { readonly code: string }
  | { readonly moments: Moments }
  | Arrivals
  | { readonly transfers: number }
  | { readonly done: true }

/** Many services of one author in a moment: what the quotas are there to stop. */
const QUOTAS = {
  SERVICES_PER_AUTHOR: 100_000,
  NEW_PER_AUTHOR_PER_MINUTE: 100_000,
  NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000,
}
const NETWORK = 'bench'

/** The process of one whole node of the benchmark, which gossips with the nodes that it names. Ends with its parent. */
collectSeldom()
const [host = '', ...neighbours] = process.argv.slice(2)
await using world = await createWorld()
const node = await world.start('node', {
  node: { NETWORK, LISTEN: [`/ip4/${host}/tcp/0`], QUOTAS },
  runner: { STATIC_NODES: neighbours },
})
const author = newSigner()
let arrivals: [string, number][] = []
let lost: string[] = []
let fetching: { stop: AbortController; done: Promise<number> } | undefined

node.events.on('node:verdict', ({ id }) => void arrivals.push([id, nowMs()]))
node.events.on('network:peer-disconnected', ({ peer }) => void lost.push(peer))

async function announce(count: number, everyMs: number): Promise<Moments> {
  const moments: [string, number][] = []
  const startedAt = nowMs()
  for (let number = 0; number < count; number++) {
    const service = makeService({
      network: NETWORK,
      author,
      change: { name: `service-${startedAt.toFixed()}-${number}` },
    })
    const wait = startedAt + number * everyMs - nowMs()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    moments.push([idOf(service), nowMs()])
    const received = await node.receive(copyAt(service), { asPublisher: true })
    if (received.outcome !== 'new') throw new Error(`the announcement was not taken: ${JSON.stringify(received)}`)
  }
  return moments
}

/** The code of a service that is published here stays in the store. */
async function addPublished(bytes: number): Promise<string> {
  const { code } = await node.addArchive(randomArchive(bytes))
  const service = makeService({ network: NETWORK, author, change: { name: 'published', code: parseCid(code) } })
  await node.receive(copyAt(service), { asPublisher: true })
  return code
}

/** Fetches the code, removes it and begins again. Returns how many times it came whole. */
async function fetchAgainAndAgain(code: string, signal: AbortSignal): Promise<number> {
  for (let count = 0; ; count++) {
    try {
      await node.code.fetch(code, { signal })
      await node.code.gc()
    } catch (error) {
      if (signal.aborted) return count
      throw error
    }
  }
}

async function work(order: ToNode): Promise<FromNode> {
  if (order.do === 'announce') return { moments: await announce(order.count, order.everyMs) }
  if (order.do === 'take-arrivals') {
    const taken = { moments: arrivals, lost }
    ;[arrivals, lost] = [[], []]
    return taken
  }
  if (order.do === 'start-fetching') {
    const stop = new AbortController()
    fetching = { stop, done: fetchAgainAndAgain(order.code, stop.signal) }
    fetching.done.catch(over.reject)
    return { done: true }
  }
  if (order.do === 'add') return { code: await addPublished(order.bytes) }
  fetching?.stop.abort(new Error('the round is over'))
  return { transfers: (await fetching?.done) ?? 0 }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
process.on('message', (order: ToNode) => void work(order).then((answer) => process.send?.(answer), over.reject))
process.send?.({ address: node.multiaddrs()[0] as string } satisfies FromNode)
await over.promise
