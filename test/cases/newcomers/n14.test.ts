import { expect, test } from 'vitest'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { addressOf, type Made, networks, newKey, until } from '../../integration/network/make.ts'

/** PEERS.LOW 0, as src/node makes it of node.json. */
const EXACT = { neighbours: 'named', keepPeers: false, dht: true } as const
const IDLE_MS = 1500

const all = networks()

/** Five in a line: each names the one before it, and nobody names the one behind. */
async function openLine(): Promise<Made[]> {
  const line: Made[] = []
  for (let at = 0; at < 5; at++) {
    const before = line.at(-1)
    const staticNodes = before === undefined ? [] : [addressOf(before)]
    line.push(await all.make({ ...EXACT, staticNodes, connectionIdleMs: IDLE_MS }, { validator: async () => 'accept' }))
  }
  const listens = (at: number, other: number) => {
    const peer = line[other]?.network.peerId
    return peer === undefined || line[at]?.network.gossip.listeners().includes(peer) === true
  }
  await until(() => line.every((_, at) => (at === 0 || listens(at, at - 1)) && listens(at, at + 1)), 'the line stands')
  return line
}

const neighboursOf = (line: readonly Made[]) =>
  line.map(({ network }) =>
    network.gossip
      .listeners()
      .map((peer) => line.findIndex((made) => made.network.peerId === peer))
      .toSorted(),
  )
const EXACTLY = [[1], [0, 2], [1, 3], [2, 4], [3]]

test('a line of five stays a line, and what is far is reached on demand, without gossip', async () => {
  const line = await openLine()
  const [first, , , , last] = line as [Made, Made, Made, Made, Made]
  await first.network.streams.handle('/test/status/1', async (stream) => {
    await stream.write((await stream.read()) ?? new Uint8Array())
  })
  const code = cidOfBytes(Uint8Array.of(1))
  await until(async () => (await first.network.dht.provide(code).catch(() => 0)) > 0, 'the code is provided')

  // a lookup through the line finds the far end, and a stream to it opens
  const found: string[] = []
  await until(async () => {
    for await (const peer of last.network.dht.findProviders(code)) found.push(peer)
    return found.includes(first.network.peerId)
  }, 'the provider is found')
  const stream = await last.network.streams.open(first.network.peerId, '/test/status/1')
  await stream.write(Uint8Array.of(7))
  expect(await stream.read()).toEqual(Uint8Array.of(7))
  expect(last.network.connectedTo(first.network.peerId)).toBe(true)
  expect(neighboursOf(line)).toEqual(EXACTLY)

  // each node hears what its neighbours pass on, once around the line and not across
  for (const { arrivals } of line) arrivals.length = 0
  expect(await first.network.gossip.publish(new TextEncoder().encode('news'))).toBe('published')
  await until(() => last.arrivals.length === 1, 'the other end hears')
  expect(line.slice(1).map(({ arrivals }) => arrivals[0]?.from)).toEqual(
    line.slice(0, 4).map(({ network }) => network.peerId),
  )

  // sync is for neighbours, too
  await expect(last.network.sync.with(first.network.peerId)).resolves.toBe(0)
  await stream[Symbol.asyncDispose]()
  await until(() => !last.network.connectedTo(first.network.peerId), 'nobody uses the far connection any more')
  expect(neighboursOf(line)).toEqual(EXACTLY)
})

test('a stranger that looks for neighbours gets a connection and no gossip; one that names the node gets both', async () => {
  const exact = await all.make(EXACT)
  const heard: string[] = []
  const stranger = await all.make({ neighbours: 'all', dht: true })
  await stranger.network.dial(addressOf(exact))
  const friend = await all.make({ staticNodes: [addressOf(exact)], dht: true, identity: newKey() })
  await until(() => exact.network.gossip.listeners().includes(friend.network.peerId), 'the friend is a neighbour')
  expect(exact.network.connectedTo(stranger.network.peerId)).toBe(true)
  await exact.network.gossip.publish(new TextEncoder().encode('for neighbours'))
  await until(() => friend.arrivals.length === 1, 'the friend hears')
  heard.push(...stranger.arrivals.map(({ from }) => from))
  // it may well hear of it from the friend, whom it does not know here
  expect(heard).toEqual([])
  expect(exact.network.gossip.listeners()).toEqual([friend.network.peerId])
})

test('a static node that is taken off the list is no neighbour any more', async () => {
  const [a, b] = [await all.make(EXACT), await all.make(EXACT)]
  a.network.setStaticNodes([addressOf(b)])
  await until(() => b.network.gossip.listeners().includes(a.network.peerId), 'b hears a')
  await until(() => a.network.gossip.listeners().includes(b.network.peerId), 'a hears b')
  a.network.setStaticNodes([])
  await until(
    () => a.network.gossip.listeners().length === 0 && b.network.gossip.listeners().length === 0,
    'both are apart',
  )
})
