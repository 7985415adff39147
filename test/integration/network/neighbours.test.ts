import { expect, test } from 'vitest'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { addressOf, createNetworks, hasListeners, isConnectedTo, newKey, type TestNetwork, until } from './fixtures.ts'

/** PEERS.LOW 0, as src/node makes it of node.json. */
const EXACT = { neighbours: 'named', keepPeers: false, dht: true } as const
const IDLE_MS = 1500
/** What the library says of a dial that took too long. */
const NO_TIME = 'The operation was aborted due to timeout'

const all = createNetworks()

/** Five in a line: each names the one before it, and none names the one behind. */
async function openLine(): Promise<TestNetwork[]> {
  const line: TestNetwork[] = []
  for (let at = 0; at < 5; at++) {
    const before = line.at(-1)
    const staticNodes = before === undefined ? [] : [addressOf(before)]
    line.push(await all.make({ ...EXACT, staticNodes, connectionIdleMs: IDLE_MS }, { validator: async () => 'accept' }))
  }
  await until(() => JSON.stringify(neighboursOf(line)) === JSON.stringify(EXACTLY), 'the line is connected')
  return line
}

const neighboursOf = (line: readonly TestNetwork[]) =>
  line.map(({ network }) => {
    const at = (peer: string) => line.findIndex((made) => made.network.peerId === peer)
    return network.gossip.listeners().map(at).toSorted()
  })
const EXACTLY = [[1], [0, 2], [1, 3], [2, 4], [3]]

test('N14: a line of five stays a line, and what is far is reached on demand, without gossip', async () => {
  const line = await openLine()
  const [first, , , , last] = line as [TestNetwork, TestNetwork, TestNetwork, TestNetwork, TestNetwork]
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
  expect(isConnectedTo(last, first)).toBe(true)
  expect(neighboursOf(line)).toEqual(EXACTLY)

  // each node receives what its neighbours forward, once around the line and not across
  for (const { arrivals } of line) arrivals.length = 0
  expect(await first.network.gossip.publish(new TextEncoder().encode('news'))).toBe('published')
  await until(() => last.arrivals.length === 1, 'the other end receives it')
  expect(line.slice(1).map(({ arrivals }) => arrivals[0]?.from)).toEqual(
    line.slice(0, 4).map(({ network }) => network.peerId),
  )

  // sync is for neighbours, too
  await expect(last.network.sync.with(first.network.peerId)).resolves.toBe(0)
  await stream[Symbol.asyncDispose]()
  await until(() => !isConnectedTo(last, first), 'no peer uses the far connection any more')
  expect(neighboursOf(line)).toEqual(EXACTLY)
})

test('N14: a stranger that looks for neighbours gets a connection and no gossip; one that names the node gets both', async () => {
  const exact = await all.make(EXACT)
  const stranger = await all.make({ neighbours: 'all', dht: true })
  await stranger.network.dial(addressOf(exact))
  const friend = await all.make({ staticNodes: [addressOf(exact)], dht: true, identity: newKey() })
  await until(() => exact.network.gossip.listeners().includes(friend.network.peerId), 'the friend is a neighbour')
  expect(isConnectedTo(exact, stranger)).toBe(true)
  await exact.network.gossip.publish(new TextEncoder().encode('for neighbours'))
  await until(() => friend.arrivals.length === 1, 'the friend receives it')
  // it may well receive it from the friend, whom it does not know here
  expect(stranger.arrivals).toEqual([])
  expect(exact.network.gossip.listeners()).toEqual([friend.network.peerId])
})

test('N14: a static node that is taken off the list is no neighbour any more', async () => {
  const [a, b] = [await all.make(EXACT), await all.make(EXACT)]
  a.network.setStaticNodes([addressOf(b)])
  for (const made of [a, b]) await hasListeners(made, 1)
  a.network.setStaticNodes([])
  for (const made of [a, b]) await hasListeners(made, 0)
})

test('fifty nodes on one loopback address join through one, and gossip reaches all', async () => {
  const hub = await all.make()
  // all at once: the host must not refuse a burst from one address
  const failures: string[] = []
  const others = await Promise.all(
    Array.from({ length: 49 }, () => all.make({ staticNodes: [addressOf(hub)], join: false })),
  )
  for (const made of others) made.events.on('network:dial-failed', ({ reason }) => failures.push(reason))
  await Promise.all(others.map(({ network }) => network.join()))
  const nodes: TestNetwork[] = [hub, ...others]
  await until(() => hub.network.peers().length === 49, 'all know the first', 45_000)
  // a dial for which one process with fifty nodes had no time was made again; the host resets what it refuses
  expect(failures.filter((reason) => reason !== NO_TIME)).toEqual([])
  await until(() => nodes.every(({ network }) => network.gossip.listeners().length > 0), 'all listen', 45_000)
  const receivedBy = (text: string) =>
    nodes.filter(({ arrivals }) => arrivals.some(({ data }) => new TextDecoder().decode(data) === text)).length
  for (const [index, publisher] of [0, 17, 49].entries()) {
    const text = `message ${index} `.padEnd(700, '.')
    expect(await (nodes[publisher] as TestNetwork).network.gossip.publish(new TextEncoder().encode(text))).toBe(
      'published',
    )
    await until(() => receivedBy(text) === 49, `all receive message ${index}`, 45_000)
  }
  expect(nodes.flatMap(({ network }) => network.peers()).every(({ score }) => score >= 0)).toBe(true)
}, 145_000)
