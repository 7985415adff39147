import { expect, test } from 'vitest'
import { messageId, servicesTopic } from '../../../protocols/announcement.ts'
import type { ValidationResult } from '../../../src/network/index.ts'
import { addressOf, connect, type Made, networks, until } from './make.ts'

const all = networks()

const bytes = (text: string) => new TextEncoder().encode(text.padEnd(600, '.'))
const has = (made: Made, data: Uint8Array) => made.arrivals.some((arrival) => Buffer.from(arrival.data).equals(data))

/** a - b - c, where b's validator answers as told. */
async function line(answer: () => Promise<ValidationResult>) {
  const [a, b, c] = [await all.make(), await all.make({}, { validator: answer }), await all.make()]
  for (const end of [a, c]) await connect(end, b)
  await hasListeners(b, 2)
  await hasListeners(c, 1)
  return { a, b, c }
}

const hasListeners = ({ network }: Made, count: number) =>
  until(() => network.gossip.listeners().length === count, 'subscriptions')

/** A hub, and leaves around it that pass nothing on. */
async function star(count: number, validator: () => Promise<ValidationResult>) {
  const hub = await all.make({}, { validator })
  const leaves = await Promise.all(
    Array.from({ length: count }, () => all.make({}, { validator: async () => 'ignore' })),
  )
  for (const leaf of leaves) await connect(leaf, hub)
  await hasListeners(hub, count)
  return { hub, leaves }
}

test('what the validator accepts is forwarded', async () => {
  const { a, b, c } = await line(async () => 'accept')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  await until(() => has(c, bytes('x')), 'c hears x')
  const [arrival] = b.arrivals
  expect(arrival?.from).toBe(a.network.peerId)
  expect(arrival?.messageId).toEqual(messageId(servicesTopic('test'), bytes('x')))
})

test.each(['ignore', 'reject', 'throw'] as const)(
  'what the validator answers with %s goes no further',
  async (answer) => {
    const { a, b, c } = await line(async () => {
      if (answer === 'throw') throw new Error('broken')
      return answer
    })
    await a.network.gossip.publish(bytes('x'))
    await until(() => has(b, bytes('x')), 'b hears x')
    // b's own message takes the same way and comes after whatever b would have forwarded
    expect(await b.network.gossip.publish(bytes('y'))).toBe('published')
    await until(() => has(c, bytes('y')), 'c hears y')
    expect(has(c, bytes('x'))).toBe(false)
    const score = () => b.network.peers().find((peer) => peer.peerId === a.network.peerId)?.score ?? 0
    if (answer === 'reject') await until(() => score() < 0, 'the sender pays')
    else expect(score()).toBeGreaterThanOrEqual(0)
  },
)

test('a late accept forwards, and serves those who ask for it', async () => {
  const verdict = Promise.withResolvers<ValidationResult>()
  // more than gossipsub's mesh holds: those outside hear of the message by IHAVE and ask for it with IWANT
  const { hub, leaves } = await star(15, () => verdict.promise)
  const author = await all.make()
  await connect(author, hub)
  await hasListeners(hub, 16)
  await author.network.gossip.publish(bytes('x'))
  await until(() => has(hub, bytes('x')), 'the hub hears x')
  expect(await hub.network.gossip.publish(bytes('x'))).toBe('seen')
  // y takes both ways, after whatever the hub would have forwarded or told of
  await hub.network.gossip.publish(bytes('y'))
  await until(() => leaves.every((leaf) => has(leaf, bytes('y'))), 'all leaves hear y')
  expect(leaves.some((leaf) => has(leaf, bytes('x')))).toBe(false)
  verdict.resolve('accept')
  await until(() => leaves.filter((leaf) => has(leaf, bytes('x'))).length >= 4, 'the mesh hears x')
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
  const { hub, leaves } = await star(14, async () => 'accept')
  await hub.network.gossip.publish(bytes('x'), { to: 'all' })
  await until(() => leaves.every((leaf) => has(leaf, bytes('x'))), 'all leaves hear x', 900)
})

test('ten rejected messages disconnect a real neighbour, and it is refused when it comes back', async () => {
  const [a, b] = [await all.make(), await all.make({}, { validator: async () => 'reject' })]
  const excluded: number[] = []
  b.events.on('network:excluded', ({ forMs }) => excluded.push(forMs))
  await connect(a, b)
  await until(() => a.network.gossip.listeners().length === 1, 'subscriptions')
  for (let index = 0; index < 10; index++) await a.network.gossip.publish(bytes(`forged ${index}`))
  await until(() => b.network.peers().length === 0, 'the end of the connection')
  expect(excluded).toEqual([60_000])
  // who dials may think for a moment that it is connected
  await a.network.dial(addressOf(b)).catch(() => {})
  await until(() => a.network.peers().length === 0, 'the end of the next one')
  await expect(b.network.dial(addressOf(a))).rejects.toThrow()
  expect(b.network.peers()).toEqual([])
  expect(b.arrivals.length).toBeLessThanOrEqual(10)
})
