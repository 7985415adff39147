import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createLinks, type Links, linksUnavailable } from '../links/links.ts'
import { type Node, startNode } from '../spread/start-node.ts'

const BYTES = 64 * 1024 * 1024
const PROVIDERS = 4
/** Each a transfer from one provider and one from four: what else the machine does hits both of a pair. */
const PAIRS = 5
const PROVIDER_BITS_PER_SECOND = 160_000_000
const LONG_LINK_BITS_PER_SECOND = 100_000_000
const ROUND_TRIP_MS = 60

type Say = (line: object, text: string) => void
type Measured = { fourProviders?: number; shareOfLongLink?: number }

/** What needs links of a given rate: network namespaces with tbf. */
export async function measureLinks(say: Say): Promise<Measured> {
  const missing = linksUnavailable()
  if (missing !== undefined) {
    say({ notMeasured: missing }, `not measured: four providers and a long way: ${missing}`)
    return {}
  }
  return { fourProviders: await measureProviders(), shareOfLongLink: await measureLongLink() }
}

/** How much faster four providers of 20 MB/s are than one: the median of pairs. */
async function measureProviders(): Promise<number> {
  using links = createLinks(PROVIDERS + 1, (host) => (host === 0 ? undefined : PROVIDER_BITS_PER_SECOND))
  await using nodes = await startNodes(links, PROVIDERS + 1)
  const [client, ...providers] = nodes.all as [Node, Node, ...Node[]]
  const [first, ...others] = providers as [Node, ...Node[]]
  // the client asks every peer that it is connected to: what counts is which of them have the code
  const [ofOne, ofFour] = [await first.add(BYTES), await first.add(BYTES)]
  await Promise.all(others.map((node) => node.ask({ fetch: ofFour, peers: [first.address] })))
  const fetchTimed = async (code: string) => {
    const startedAt = performance.now()
    await client.ask({ fetch: code, peers: providers.map(({ address }) => address) })
    const ms = performance.now() - startedAt
    await client.ask({ remove: code })
    return ms
  }
  // the first one warms up
  await fetchTimed(ofFour)
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    ratios.push((await fetchTimed(ofOne)) / (await fetchTimed(ofFour)))
  }
  return round(ratios.toSorted((a, b) => a - b)[Math.floor(PAIRS / 2)] as number)
}

/** The share of a link of 100 Mbit/s that a transfer has at a round trip of 60 ms. */
async function measureLongLink(): Promise<number> {
  using links = createLinks(3, () => LONG_LINK_BITS_PER_SECOND)
  await using nodes = await startNodes(links, 2)
  const [client, provider] = nodes.all as [Node, Node]
  const relay = await startRelay(links, 2, provider.address)
  try {
    const away = provider.address.replace(/\/ip4\/[^/]+\/tcp\/\d+/, `/ip4/${links.address(2)}/tcp/${relay.port}`)
    await client.ask({ dial: [away] })
    const code = await provider.add(BYTES)
    const startedAt = performance.now()
    await client.ask({ fetch: code, peers: [away] })
    const seconds = (performance.now() - startedAt) / 1000
    return round((BYTES * 8) / LONG_LINK_BITS_PER_SECOND / seconds)
  } finally {
    relay.child.disconnect()
    await once(relay.child, 'exit')
  }
}

async function startRelay(links: Links, host: number, address: string): Promise<{ child: ChildProcess; port: number }> {
  const [, ip = '', port = ''] = /\/ip4\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  const args = [ip, port, `${ROUND_TRIP_MS / 2}`]
  const child = links.fork(host, new URL('../links/relay.ts', import.meta.url), args)
  const [message] = await once(child, 'message')
  return { child, port: message.port }
}

async function startNodes(links: Links, count: number) {
  const all: Node[] = []
  for (let host = 0; host < count; host++) all.push(await startNode(links, host))
  return {
    all,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((node) => node.end()))
    },
  }
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
