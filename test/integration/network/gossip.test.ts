import { describe, expect, test } from 'vitest'
import { messageId, servicesTopic } from '../../../protocols/announcement.ts'
import { statementsTopic } from '../../../protocols/statement.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import type { IncomingMessage, MessageValidator, ValidationResult } from '../../../src/network/index.ts'
import { addressOf, connect, createNetworks, hasListeners, scoreOf, type TestNetwork, until } from './fixtures.ts'
import { statementSource } from './sync-sources.ts'

const all = createNetworks()

const bytes = (text: string) => new TextEncoder().encode(text.padEnd(600, '.'))
const has = ({ arrivals }: Pick<TestNetwork, 'arrivals'>, data: Uint8Array) =>
  arrivals.some((arrival) => Buffer.from(arrival.data).equals(data))

/** A node that receives statements too. */
async function believer(answer: MessageValidator = async () => 'accept') {
  const statements: IncomingMessage[] = []
  const validator: MessageValidator = (arrival) => {
    statements.push(arrival)
    return answer(arrival)
  }
  const made = await all.make({}, { validator: answer, statements: { validator, sync: statementSource().source } })
  return { ...made, statements }
}

/** a - b - c, where b's validators answer as the test sets. */
async function line(answer: () => Promise<ValidationResult>) {
  const [a, b, c] = [await believer(), await believer(answer), await believer()]
  for (const end of [a, c]) await connect(end, b)
  for (const topic of ['gossip', 'statements'] as const) {
    const listen = ({ network }: TestNetwork, count: number) => network[topic].listeners().length === count
    await until(() => listen(b, 2) && listen(c, 1), 'subscriptions')
  }
  return { a, b, c }
}

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

describe.each([
  { topic: 'gossip', received: 'arrivals', name: servicesTopic('test') },
  { topic: 'statements', received: 'statements', name: statementsTopic('test') },
] as const)('on the topic of $topic', ({ topic, received, name }) => {
  const receives = (made: Awaited<ReturnType<typeof believer>>, data: Uint8Array) =>
    has({ arrivals: made[received] }, data)

  test('what the validator accepts is forwarded', async () => {
    const { a, b, c } = await line(async () => 'accept')
    expect(await a.network[topic].publish(bytes('x'))).toBe('published')
    await until(() => receives(c, bytes('x')), 'c receives x')
    const [arrival] = b[received]
    expect(arrival?.from).toBe(a.network.peerId)
    expect(arrival?.messageId).toEqual(messageId(name, bytes('x')))
  })

  test.each(['ignore', 'reject', 'throw'] as const)(
    'what the validator answers with %s goes no further',
    async (answer) => {
      const { a, b, c } = await line(async () => {
        if (answer === 'throw') throw new Error('broken')
        return answer
      })
      await a.network[topic].publish(bytes('x'))
      await until(() => receives(b, bytes('x')), 'b receives x')
      // b's own message takes the same way and comes after whatever b would have forwarded
      expect(await b.network[topic].publish(bytes('y'))).toBe('published')
      await until(() => receives(c, bytes('y')), 'c receives y')
      expect(receives(c, bytes('x'))).toBe(false)
      if (answer === 'reject') await until(() => scoreOf(b, a) < 0, 'the sender pays')
      else expect(scoreOf(b, a)).toBeGreaterThanOrEqual(0)
    },
  )

  test('the same bytes are published once', async () => {
    const { a, b } = await line(async () => 'ignore')
    expect(await a.network[topic].publish(bytes('x'))).toBe('published')
    expect(await a.network[topic].publish(bytes('x'))).toBe('seen')
    await until(() => receives(b, bytes('x')), 'b receives x')
    expect(await b.network[topic].publish(bytes('x'))).toBe('seen')
  })
})

test('each topic has its validator, and the same bytes on both are two messages', async () => {
  const [a, b] = [await believer(), await believer()]
  const seen: NetworkEvents['network:gossip-arrived'][] = []
  b.events.on('network:gossip-arrived', (arrival) => seen.push(arrival))
  await connect(a, b)
  expect(await a.network.statements.publish(bytes('x'))).toBe('published')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('seen')
  await until(() => seen.length === 2, 'b receives both')
  expect(b.statements.map(({ messageId }) => messageId)).toEqual([messageId(statementsTopic('test'), bytes('x'))])
  expect(b.arrivals.map(({ messageId }) => messageId)).toEqual([messageId(servicesTopic('test'), bytes('x'))])
  expect(seen.map(({ topic }) => topic).sort()).toEqual(['services', 'statements'])
  expect(b.network.statements.listeners()).toEqual([a.network.peerId])
})

test('a node without use for statements does not receive them, and can publish them', async () => {
  const [bare, hub] = [await all.make(), await believer()]
  const light = await all.make({ role: 'client', listen: [] })
  for (const end of [bare, light]) await connect(end, hub)
  expect(await bare.network.statements.publish(bytes('x'))).toBe('published')
  expect(await light.network.statements.publish(bytes('y'))).toBe('published')
  await until(() => hub.statements.length === 2, 'the hub receives')
  expect(hub.network.statements.listeners()).toEqual([])
  expect(hub.network.gossip.listeners()).toEqual([bare.network.peerId])
})

test('a statement that is too long is rejected without asking the validator', async () => {
  const [a, b] = [await believer(), await believer()]
  await connect(a, b)
  await a.network.statements.publish(new Uint8Array(5 * 1024))
  await until(() => scoreOf(b, a) < 0, 'the sender pays')
  expect(b.statements).toEqual([])
})

test('a late accept forwards, and serves those that ask for it', async () => {
  const verdict = Promise.withResolvers<ValidationResult>()
  // more than gossipsub's mesh holds: those outside learn of the message by IHAVE and ask for it with IWANT
  const { hub, leaves } = await star(15, () => verdict.promise)
  const author = await all.make()
  await connect(author, hub)
  await hasListeners(hub, 16)
  await author.network.gossip.publish(bytes('x'))
  await until(() => has(hub, bytes('x')), 'the hub receives x')
  expect(await hub.network.gossip.publish(bytes('x'))).toBe('seen')
  // y takes both ways, after whatever the hub would have forwarded or announced
  await hub.network.gossip.publish(bytes('y'))
  await until(() => leaves.every((leaf) => has(leaf, bytes('y'))), 'all leaves receive y')
  expect(leaves.some((leaf) => has(leaf, bytes('x')))).toBe(false)
  verdict.resolve('accept')
  await until(() => leaves.filter((leaf) => has(leaf, bytes('x'))).length >= 4, 'the mesh receives x')
  await until(() => leaves.every((leaf) => has(leaf, bytes('x'))), 'all leaves receive x')
})

test('alone, a publish says so at once, and can be repeated', async () => {
  const a = await all.make()
  const start = performance.now()
  expect(await a.network.gossip.publish(bytes('x'))).toBe('no-peers')
  expect(performance.now() - start).toBeLessThan(500)
  const b = await all.make()
  await connect(a, b)
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  await until(() => has(b, bytes('x')), 'b receives x')
})

test('a publish right after connecting goes out, also from a peer that only dials', async () => {
  const b = await all.make()
  const light = await all.make({ role: 'client', listen: [] })
  await connect(light, b)
  const start = performance.now()
  expect(await light.network.gossip.publish(bytes('x'))).toBe('published')
  expect(performance.now() - start).toBeLessThan(2000)
  await until(() => has(b, bytes('x')), 'b receives x')
})

test('`to: all` reaches every neighbour at once, beyond the mesh', async () => {
  const { hub, leaves } = await star(14, async () => 'accept')
  await hub.network.gossip.publish(bytes('x'), { to: 'all' })
  await until(() => leaves.every((leaf) => has(leaf, bytes('x'))), 'all leaves receive x', 900)
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
  // a node that dials may report for a moment that it is connected
  await a.network.dial(addressOf(b)).catch(() => {})
  await until(() => a.network.peers().length === 0, 'the end of the next one')
  await expect(b.network.dial(addressOf(a))).rejects.toThrow()
  expect(b.network.peers()).toEqual([])
  expect(b.arrivals.length).toBeLessThanOrEqual(10)
})
