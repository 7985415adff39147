import { Record as DhtRecord } from '@libp2p/kad-dht'
import { expect, test } from 'vitest'
import type { MessageStream } from '../../../src/base/stream.ts'
import type { NetworkInit, RecordValidator } from '../../../src/network/index.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { note, noteRules, readNote } from '../../unit/network/rules.ts'
import { connect, createNetworks, newKey, type TestNetwork, until } from './fixtures.ts'

const all = createNetworks()

const { rules } = noteRules()
const KEY = '/attest/code'
const NOT_PROVIDED = { name: 'NotProvidedError' }
const UNAVAILABLE = { name: 'UnavailableError' }

/** A node that keeps records of notes. */
const recordNode = (init: Partial<NetworkInit> = {}, validator: Partial<RecordValidator> = {}) =>
  all.make({ dht: true, ...init }, { recordValidator: { ...rules, ...validator } })

async function seqs({ network }: TestNetwork, key = KEY, found: number[] = []): Promise<number[]> {
  for await (const value of network.dht.findValues(key)) found.push(readNote(value).seq)
  return found.sort()
}

/** Puts a record until so many take it: tables fill a moment after peers connect. */
async function takes({ network }: TestNetwork, value: Uint8Array, count: number): Promise<void> {
  await until(async () => (await network.dht.putValue(KEY, value).catch(() => 0)) === count, `${count} take the record`)
}

/** Everyone knows everyone: each record lies at all of them. */
async function clique(count: number): Promise<TestNetwork[]> {
  const nodes: TestNetwork[] = []
  for (let index = 0; index < count; index++) nodes.push(await connected(await recordNode(), ...nodes))
  return nodes
}

async function connected(made: TestNetwork, ...others: TestNetwork[]): Promise<TestNetwork> {
  for (const other of others) await connect(made, other)
  return made
}

test('a record is put to the closest peers and found by all', async () => {
  const nodes = await clique(5)
  const [first, last] = [nodes[0] as TestNetwork, nodes[4] as TestNetwork]
  await takes(first, note(KEY), 4)
  for (const node of nodes) expect(await seqs(node)).toEqual([1])
  expect(await seqs(last, '/attest/nothing')).toEqual([])
})

test('a newer record replaces an older one everywhere, an older one nowhere', async () => {
  const nodes = await clique(4)
  const [a, b, c] = nodes as [TestNetwork, TestNetwork, TestNetwork]
  await takes(a, note(KEY, { seq: 2 }), 3)
  await expect(b.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toThrow('a newer one lies under its key')
  // a peer that does not know better offers it, and no peer takes it
  const light = await connected(await recordNode({ role: 'client', listen: [] }), ...nodes)
  await expect(light.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject(NOT_PROVIDED)
  expect(await seqs(c)).toEqual([2])
  expect(await c.network.dht.putValue(KEY, note(KEY, { seq: 3 }))).toBeGreaterThanOrEqual(3)
  expect(await seqs(a)).toEqual([3])
})

test('what breaks the rules is refused before it goes out', async () => {
  const [a] = (await clique(2)) as [TestNetwork, TestNetwork]
  await expect(a.network.dht.putValue(KEY, note(KEY, { forged: true }))).rejects.toMatchObject({
    name: 'InputError',
    message: 'the record is refused: sig: is forged',
  })
  await expect(a.network.dht.putValue(KEY, note('/attest/other'))).rejects.toThrow('of another record')
})

test('a stale peer that refuses to be corrected takes nothing from what others say', async () => {
  // its rules find everything newer than what it has to be a forgery
  const validate: RecordValidator['validate'] = (key, value) => {
    if (readNote(value).seq > 1) throw new Error('stubborn')
    return rules.validate(key, value)
  }
  const stale = await recordNode({}, { validate })
  const others = await clique(3)
  const [a, b] = others as [TestNetwork, TestNetwork]
  for (const node of others) await connect(stale, node)
  await takes(stale, note(KEY, { seq: 1 }), 3)
  await takes(a, note(KEY, { seq: 2 }), 2)
  const late = await connected(await recordNode(), stale, b)
  // the table of one that has just come fills in a moment
  await expect.poll(() => seqs(late), { timeout: 30_000 }).toEqual([1, 2])
})

test('a peer that answers with a forgery is not believed', async () => {
  const dishonest = await recordNode({}, { validate: () => ({ signer: '?', issued: 0, expires: 4e9 }) })
  const honest = await connected(await recordNode(), dishonest)
  const refused: string[] = []
  honest.events.on('network:refused', ({ peer, reason }) => refused.push(`${peer} ${reason}`))
  await until(async () => {
    const put = dishonest.network.dht.putValue(KEY, note(KEY, { seq: 9, forged: true }))
    await expect(put).rejects.toMatchObject(NOT_PROVIDED)
    return refused.length > 0
  }, 'the forgery is refused')
  expect(refused[0]).toBe(`${dishonest.network.peerId} sig: is forged`)
  expect(await seqs(dishonest)).toEqual([9])
  await expect(seqs(honest)).rejects.toMatchObject(UNAVAILABLE)
  const other = await recordNode()
  await connect(honest, other)
  await takes(other, note(KEY), 1)
  expect(await seqs(honest)).toEqual([1])
})

test('a peer that has fallen silent holds no lookup up for long, and what others say is there at once', async () => {
  const [a, b] = (await clique(2)) as [TestNetwork, TestNetwork]
  const silent = await recordNode()
  const wire = await all.relayTo(silent)
  for (const node of [a, b]) await node.network.dial(wire.address)
  await takes(a, note(KEY), 2)
  const late = await connected(await recordNode({ role: 'client', listen: [] }), a)
  await late.network.dial(wire.address)
  await until(async () => (await seqs(late)).length === 1, 'the record')
  wire.silence()
  const start = performance.now()
  let foundMs = Number.POSITIVE_INFINITY
  for await (const _ of late.network.dht.findValues(KEY)) foundMs = performance.now() - start
  expect(foundMs).toBeLessThan(1000)
  expect(performance.now() - start).toBeLessThan(5500)
  const nothing = performance.now()
  expect(await seqs(late, '/attest/nothing')).toEqual([])
  expect(performance.now() - nothing).toBeLessThan(5500)
})

test('a client finds and puts records without keeping any for others', async () => {
  const nodes = await clique(3)
  const light = await connected(await recordNode({ role: 'client', listen: [] }), ...nodes)
  await takes(light, note(KEY), 3)
  const other = await connected(await recordNode({ role: 'client', listen: [] }), nodes[0] as TestNetwork)
  expect(await seqs(other)).toEqual([1])
})

test('no peer to ask is an error, and no record is none', async () => {
  const alone = await recordNode()
  for (const one of [await all.make(), alone]) {
    await expect(seqs(one)).rejects.toMatchObject(UNAVAILABLE)
    await expect(one.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject(NOT_PROVIDED)
  }
  // what is stored here is found all the same
  const found: number[] = []
  await expect(seqs(alone, KEY, found)).rejects.toMatchObject(UNAVAILABLE)
  expect(found).toEqual([1])
})

test('a node without rules keeps no records and finds none', async () => {
  const bare = await all.make({ dht: true })
  const node = await connected(await recordNode(), bare)
  await expect(node.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject(NOT_PROVIDED)
  expect(await seqs(bare)).toEqual([])
})

test('a lookup ends with its signal, and with a consumer that stops listening', async () => {
  const [a, b] = (await clique(3)) as [TestNetwork, TestNetwork]
  await takes(a, note(KEY), 2)
  const looking = (async () => {
    for await (const _ of b.network.dht.findValues(KEY, { signal: AbortSignal.abort(new Error('enough')) }));
  })()
  await expect(looking).rejects.toThrow('enough')
  for await (const value of b.network.dht.findValues(KEY)) {
    expect(readNote(value).seq).toBe(1)
    break
  }
})

test('records outlive a restart, and what is older does not come in afterwards', async () => {
  const init = { identity: newKey(), dataDir: await tempDir() }
  const a = await recordNode(init)
  const b = await connected(await recordNode(), a)
  await takes(b, note(KEY, { seq: 2 }), 1)
  await a.network[Symbol.asyncDispose]()
  await b.network[Symbol.asyncDispose]()

  const again = await recordNode(init)
  const c = await connected(await recordNode(), again)
  await expect(c.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject(NOT_PROVIDED)
  await c.network[Symbol.asyncDispose]()
  const d = await connected(await recordNode({ role: 'client', listen: [] }), again)
  expect(await seqs(d)).toEqual([2])
})

const KAD = '/thundercloud/test/kad/1.0.0'

/** kad-dht's PUT_VALUE, as protobuf. */
function putValue(key: string, value: Uint8Array): Uint8Array {
  const name = Buffer.from(key)
  const record = new DhtRecord(name, value, new Date()).serialize()
  return Buffer.concat([Buffer.from([0x08, 0x00]), field(0x12, name), field(0x1a, record)])
}

function field(tag: number, data: Uint8Array): Buffer {
  const { length } = data
  return Buffer.concat([Buffer.from([tag, (length & 0x7f) | 0x80, length >> 7]), data])
}

/** Puts a record over a stream of its own kind; a refused put ends the stream, and the next begins another. */
function putter(from: TestNetwork, to: TestNetwork) {
  let stream: MessageStream | undefined
  return async (key: string, value: Uint8Array): Promise<boolean> => {
    try {
      stream ??= await from.network.streams.open(to.network.peerId, KAD)
      await stream.write(putValue(key, value))
      if ((await stream.read()) !== undefined) return true
    } catch {
      // the refusal
    }
    stream?.abort(new Error('refused'))
    stream = undefined
    return false
  }
}

test('a peer that offers thousands of valid junk records gets its share, and honest records stay and come', async () => {
  const { rules: counted, count } = noteRules()
  const target = await recordNode({}, counted)
  const honest = await recordNode({}, counted)
  const attacker = await all.make()
  await connect(honest, target)
  await connect(attacker, target)
  await until(async () => (await honest.network.dht.putValue('/attest/a', note('/attest/a')).catch(() => 0)) === 1, 'a')
  const refusals = new Map<string, number>()
  target.events.on('network:refused', ({ peer, reason }) => {
    expect(peer).toBe(attacker.network.peerId)
    refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
  })

  const checksBefore = count.checks
  const startMs = performance.now()
  let taken = 0
  let at = 0
  const flood = async () => {
    const put = putter(attacker, target)
    while (at < 3000) {
      const key = `/trust/junk-${at++}`
      if (await put(key, note(key, { signer: key, pad: '.'.repeat(1000) }))) taken++
    }
  }
  const flooding = Promise.all(Array.from({ length: 8 }, flood))
  await until(() => at > 1000, 'the flood is on')
  expect(await honest.network.dht.putValue('/attest/b', note('/attest/b'))).toBe(1)
  await flooding
  const allowance = 256 + ((performance.now() - startMs) / 1000) * 8 + 1

  expect(taken).toBeGreaterThanOrEqual(256)
  expect(taken).toBeLessThanOrEqual(allowance)
  expect([...refusals.values()].reduce((sum, some) => sum + some, 0)).toBeGreaterThan(256)
  // what comes faster still is not even read
  const known = ['too many records in a short time', 'too many frames', 'too many streams']
  expect([...refusals.keys()].filter((reason) => !known.includes(reason))).toEqual([])
  expect(count.checks - checksBefore).toBeLessThanOrEqual(allowance + 10)

  await honest.network[Symbol.asyncDispose]()
  const late = await recordNode({ role: 'client', listen: [] }, counted)
  // an excluded attacker dials again and again, and its address, which is everybody's here, has a rate of its own
  const connects = () =>
    connect(late, target).then(
      () => true,
      () => false,
    )
  await until(connects, 'the late node is connected')
  expect([await seqs(late, '/attest/a'), await seqs(late, '/attest/b')]).toEqual([[1], [1]])
}, 60_000)

test('in a mesh of twenty, where everybody knows a few, a record is found from everywhere and its successor too', async () => {
  const nodes: TestNetwork[] = []
  for (let at = 0; at < 20; at++) {
    const made = await recordNode()
    for (const neighbour of new Set([at - 1, at >> 1])) {
      const other = nodes[neighbour]
      if (other !== undefined) await connect(made, other)
    }
    nodes.push(made)
  }
  const [first, last] = [nodes[0] as TestNetwork, nodes[19] as TestNetwork]
  const key = '/attest/code'
  const put = () => last.network.dht.putValue(key, note(key, { seq: 1 })).catch(() => 0)
  await until(async () => (await put()) >= 10, 'it is kept')
  const some = nodes.filter((_, at) => at % 3 === 1)
  for (const node of some) expect(await seqs(node, key)).toEqual([1])
  expect(await first.network.dht.putValue(key, note(key, { seq: 2 }))).toBeGreaterThanOrEqual(10)
  for (const node of some) expect(Math.max(...(await seqs(node, key)))).toBe(2)
  expect(await seqs(last, '/attest/nothing')).toEqual([])
}, 60_000)
