import { expect, test } from 'vitest'
import { type CID, cidOfBytes } from '../../../protocols/encoding.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { connect, createNetworks, newKey, type TestNetwork, until } from './fixtures.ts'

const all = createNetworks()

const NOT_PROVIDED = { name: 'NotProvidedError' }
const cidOf = (text: string) => cidOfBytes(new TextEncoder().encode(text))

const found = ({ network }: TestNetwork, cid: CID, options = {}) =>
  Array.fromAsync(network.dht.findProviders(cid, options))

/** A chain: only its neighbours know a node when it starts. */
async function chain(count: number): Promise<TestNetwork[]> {
  const nodes: TestNetwork[] = []
  for (let index = 0; index < count; index++) {
    const made = await all.make({ dht: true })
    const last = nodes.at(-1)
    if (last !== undefined) await connect(made, last)
    nodes.push(made)
  }
  return nodes
}

test('five nodes find which of them provide what, and not themselves', async () => {
  const nodes = await chain(5)
  const [first, , third, , last] = nodes as [TestNetwork, TestNetwork, TestNetwork, TestNetwork, TestNetwork]
  expect(await first.network.dht.provide(cidOf('x'))).toBeGreaterThan(0)
  expect(await third.network.dht.provide(cidOf('x'))).toBeGreaterThan(0)
  await until(async () => (await found(last, cidOf('x'))).length === 2, 'both providers')
  expect((await found(last, cidOf('x'))).sort()).toEqual([first.network.peerId, third.network.peerId].sort())
  expect(await found(first, cidOf('x'))).toEqual([third.network.peerId])
  expect(await found(last, cidOf('nothing'))).toEqual([])
})

test('alone, providing is an error that says so; it is made good when someone comes', async () => {
  const a = await all.make({ dht: true })
  await expect(a.network.dht.provide(cidOf('x'))).rejects.toMatchObject(NOT_PROVIDED)
  expect(await found(a, cidOf('x'))).toEqual([])
  const b = await all.make({ dht: true })
  await connect(b, a)
  await until(async () => (await found(b, cidOf('x'))).includes(a.network.peerId), 'the record', 45_000)
})

test('what was cancelled is not provided again, and nothing of an earlier run is', async () => {
  const dataDir = await tempDir()
  const identity = newKey()
  const a = await all.make({ dht: true, identity, dataDir })
  for (const cid of [cidOf('x'), cidOf('y')]) {
    await expect(a.network.dht.provide(cid)).rejects.toMatchObject(NOT_PROVIDED)
  }
  await a.network.dht.cancel(cidOf('y'))
  await a.network[Symbol.asyncDispose]()
  const again = await all.make({ dht: true, identity, dataDir })
  // provided by this run, and known to no other node either: what answers for it would answer for x and y
  await expect(again.network.dht.provide(cidOf('z'))).rejects.toMatchObject(NOT_PROVIDED)
  const b = await all.make({ dht: true })
  await connect(b, again)
  await until(async () => (await found(b, cidOf('z'))).length === 1, 'the new record')
  for (const cid of [cidOf('x'), cidOf('y')]) expect(await found(b, cid)).toEqual([])
})

test('a lookup ends with its signal', async () => {
  const [a] = (await chain(2)) as [TestNetwork, TestNetwork]
  await expect(found(a, cidOf('x'), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('a client finds what nodes provide, over connections of its own making', async () => {
  const [{ network: provider }, , last] = (await chain(3)) as [TestNetwork, TestNetwork, TestNetwork]
  expect(await provider.dht.provide(cidOf('x'))).toBeGreaterThan(0)
  const light = await all.make({ dht: true, role: 'client', listen: [] })
  await connect(light, last)
  await until(async () => (await found(light, cidOf('x'))).includes(provider.peerId), 'the provider')
  await using stream = await light.network.streams.open(provider.peerId, '/ipfs/ping/1.0.0')
  expect(stream.peer).toBe(provider.peerId)
})

test('without a DHT nothing is provided and no provider is found', async () => {
  const a = await all.make()
  expect(await a.network.dht.provide(cidOf('x'))).toBe(0)
  expect(await found(a, cidOf('x'))).toEqual([])
})
