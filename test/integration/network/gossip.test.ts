import { afterEach, beforeEach, expect, test } from 'vitest'
import { messageId, servicesTopic } from '../../../protocols/announcement.ts'
import type { ValidationResult } from '../../../src/network/index.ts'
import { connect, fixture, type Made, until } from './make.ts'

let all: ReturnType<typeof fixture>
beforeEach(() => {
  all = fixture()
})
afterEach(() => all.disposeAsync())

const bytes = (text: string) => new TextEncoder().encode(text.padEnd(600, '.'))
const has = (made: Made, data: Uint8Array) => made.arrivals.some((arrival) => Buffer.from(arrival.data).equals(data))

/** a - b - c, where b's validator answers as told. */
async function line(answer: () => Promise<ValidationResult>) {
  const a = await all.make()
  const b = await all.make({}, { validator: answer })
  const c = await all.make()
  await connect(a, b)
  await connect(c, b)
  await until(
    () => b.network.gossip.listeners().length === 2 && c.network.gossip.listeners().length === 1,
    'subscriptions',
  )
  return { a, b, c }
}

test('what the validator accepts is forwarded', async () => {
  const { a, b, c } = await line(async () => 'accept')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  await until(() => has(c, bytes('x')), 'c hears x')
  const [arrival] = b.arrivals
  expect(arrival?.from).toBe(a.network.peerId)
  expect(arrival?.messageId).toEqual(messageId(servicesTopic('test'), bytes('x')))
})

test.each(['ignore', 'reject'] as const)('what the validator answers with %s goes no further', async (answer) => {
  const { a, b, c } = await line(async () => answer)
  await a.network.gossip.publish(bytes('x'))
  await until(() => has(b, bytes('x')), 'b hears x')
  // b's own message takes the same way and comes after whatever b would have forwarded
  expect(await b.network.gossip.publish(bytes('y'))).toBe('published')
  await until(() => has(c, bytes('y')), 'c hears y')
  expect(has(c, bytes('x'))).toBe(false)
  const score = () => b.network.peers().find((peer) => peer.peerId === a.network.peerId)?.score ?? 0
  if (answer === 'reject') await until(() => score() < 0, 'the sender pays')
  else expect(score()).toBeGreaterThanOrEqual(0)
})

test('a validator that throws has ignored', async () => {
  const { a, b, c } = await line(async () => {
    throw new Error('broken')
  })
  await a.network.gossip.publish(bytes('x'))
  await until(() => has(b, bytes('x')), 'b hears x')
  await b.network.gossip.publish(bytes('y'))
  await until(() => has(c, bytes('y')), 'c hears y')
  expect(has(c, bytes('x'))).toBe(false)
})

test('a late accept forwards, and serves those who ask for it', async () => {
  const verdict = Promise.withResolvers<ValidationResult>()
  const author = await all.make()
  const hub = await all.make({}, { validator: () => verdict.promise })
  // more than gossipsub's mesh holds: those outside hear of the message by IHAVE and ask for it with IWANT
  const leaves = await Promise.all(Array.from({ length: 15 }, () => all.make({}, { validator: async () => 'ignore' })))
  for (const peer of [author, ...leaves]) await connect(peer, hub)
  await until(() => hub.network.gossip.listeners().length === 16, 'subscriptions')
  await author.network.gossip.publish(bytes('x'))
  await until(() => has(hub, bytes('x')), 'the hub hears x')
  expect(await hub.network.gossip.publish(bytes('x'))).toBe('seen')
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(leaves.some((leaf) => has(leaf, bytes('x')))).toBe(false)
  verdict.resolve('accept')
  await until(() => leaves.filter((leaf) => has(leaf, bytes('x'))).length >= 4, 'the mesh hears x', 900)
  await until(() => leaves.every((leaf) => has(leaf, bytes('x'))), 'all leaves hear x')
})

test('the same bytes are published once', async () => {
  const { a, b } = await line(async () => 'ignore')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('seen')
  await until(() => has(b, bytes('x')), 'b hears x')
  expect(await b.network.gossip.publish(bytes('x'))).toBe('seen')
})

test('alone, a publish says so at once, and can be repeated', async () => {
  const a = await all.make()
  const start = performance.now()
  expect(await a.network.gossip.publish(bytes('x'))).toBe('no-peers')
  expect(performance.now() - start).toBeLessThan(500)
  const b = await all.make()
  await connect(a, b)
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  await until(() => has(b, bytes('x')), 'b hears x')
})

test('a publish right after connecting goes out, also from a peer that only dials', async () => {
  const b = await all.make()
  const light = await all.make({ role: 'client', listen: [] })
  await connect(light, b)
  const start = performance.now()
  expect(await light.network.gossip.publish(bytes('x'))).toBe('published')
  expect(performance.now() - start).toBeLessThan(2000)
  await until(() => has(b, bytes('x')), 'b hears x')
})

test('`to: all` reaches every neighbour at once, beyond the mesh', async () => {
  const hub = await all.make()
  const leaves = await Promise.all(Array.from({ length: 14 }, () => all.make({}, { validator: async () => 'ignore' })))
  for (const leaf of leaves) await connect(leaf, hub)
  await until(() => hub.network.gossip.listeners().length === 14, 'subscriptions')
  await hub.network.gossip.publish(bytes('x'), { to: 'all' })
  await until(() => leaves.every((leaf) => has(leaf, bytes('x'))), 'all leaves hear x', 900)
})
