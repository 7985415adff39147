import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { NetworkInit, RecordValidator } from '../../../src/network/index.ts'
import { note, noteRules, readNote } from '../../unit/network/rules.ts'
import { addressOf, connect, type Made, networks, newKey, until } from './make.ts'

const all = networks()

const { rules } = noteRules()
const KEY = '/attest/code'
const NOT_PROVIDED = { name: 'NotProvidedError' }
const UNAVAILABLE = { name: 'UnavailableError' }

/** A node that keeps records of notes. */
const keeper = (init: Partial<NetworkInit> = {}, validator: Partial<RecordValidator> = {}) =>
  all.make({ dht: true, ...init }, { recordValidator: { ...rules, ...validator } })

async function seqs({ network }: Made, key = KEY, found: number[] = []): Promise<number[]> {
  for await (const value of network.dht.findValues(key)) found.push(readNote(value).seq)
  return found.sort()
}

/** Puts a record until so many take it: tables fill a moment after peers connect. */
async function takes({ network }: Made, value: Uint8Array, count: number): Promise<void> {
  await until(async () => (await network.dht.putValue(KEY, value).catch(() => 0)) === count, `${count} take the record`)
}

/** A way to a node that can fall silent without closing. */
async function wireTo(made: Made): Promise<{ port: number; cut(): void }> {
  const target = Number(addressOf(made).split('/')[4])
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = createConnection(target, '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  all.stack.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}

/** Everyone knows everyone: each record lies at all of them. */
async function clique(count: number): Promise<Made[]> {
  const nodes: Made[] = []
  for (let index = 0; index < count; index++) nodes.push(await connected(await keeper(), ...nodes))
  return nodes
}

async function connected(made: Made, ...others: Made[]): Promise<Made> {
  for (const other of others) await connect(made, other)
  return made
}

test('a record is put to the closest peers and found by all', async () => {
  const nodes = await clique(5)
  const [first, last] = [nodes[0] as Made, nodes[4] as Made]
  await takes(first, note(KEY), 4)
  for (const node of nodes) expect(await seqs(node)).toEqual([1])
  expect(await seqs(last, '/attest/nothing')).toEqual([])
})

test('a newer record replaces an older one everywhere, an older one nowhere', async () => {
  const nodes = await clique(4)
  const [a, b, c] = nodes as [Made, Made, Made]
  await takes(a, note(KEY, { seq: 2 }), 3)
  await expect(b.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toThrow('a newer one lies under its key')
  // who does not know better offers it, and nobody takes it
  const light = await connected(await keeper({ role: 'client', listen: [] }), ...nodes)
  await expect(light.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject(NOT_PROVIDED)
  expect(await seqs(c)).toEqual([2])
  expect(await c.network.dht.putValue(KEY, note(KEY, { seq: 3 }))).toBeGreaterThanOrEqual(3)
  expect(await seqs(a)).toEqual([3])
})

test('what breaks the rules is refused before it goes out', async () => {
  const [a] = (await clique(2)) as [Made, Made]
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
  const stale = await keeper({}, { validate })
  const others = await clique(3)
  const [a, b] = others as [Made, Made]
  for (const node of others) await connect(stale, node)
  await takes(stale, note(KEY, { seq: 1 }), 3)
  await takes(a, note(KEY, { seq: 2 }), 2)
  const late = await connected(await keeper(), stale, b)
  expect(await seqs(late)).toEqual([1, 2])
})

test('a peer that answers with a forgery is not believed', async () => {
  const liar = await keeper({}, { validate: () => ({ signer: '?', issued: 0, expires: 4e9 }) })
  const honest = await connected(await keeper(), liar)
  const refused: string[] = []
  honest.events.on('network:refused', ({ peer, reason }) => refused.push(`${peer} ${reason}`))
  await until(async () => {
    await expect(liar.network.dht.putValue(KEY, note(KEY, { seq: 9, forged: true }))).rejects.toMatchObject(
      NOT_PROVIDED,
    )
    return refused.length > 0
  }, 'the forgery is refused')
  expect(refused[0]).toBe(`${liar.network.peerId} sig: is forged`)
  expect(await seqs(liar)).toEqual([9])
  await expect(seqs(honest)).rejects.toMatchObject(UNAVAILABLE)
  const other = await keeper()
  await connect(honest, other)
  await takes(other, note(KEY), 1)
  expect(await seqs(honest)).toEqual([1])
})

test('a peer that has fallen silent holds nobody up for long, and what others say is there at once', async () => {
  const [a, b] = (await clique(2)) as [Made, Made]
  const silent = await keeper()
  const wire = await wireTo(silent)
  for (const node of [a, b]) await node.network.dial(`/ip4/127.0.0.1/tcp/${wire.port}/p2p/${silent.network.peerId}`)
  await takes(a, note(KEY), 2)
  const late = await connected(await keeper({ role: 'client', listen: [] }), a)
  await late.network.dial(`/ip4/127.0.0.1/tcp/${wire.port}/p2p/${silent.network.peerId}`)
  await until(async () => (await seqs(late)).length === 1, 'the record')
  wire.cut()
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
  const light = await connected(await keeper({ role: 'client', listen: [] }), ...nodes)
  await takes(light, note(KEY), 3)
  const other = await connected(await keeper({ role: 'client', listen: [] }), nodes[0] as Made)
  expect(await seqs(other)).toEqual([1])
})

test('nobody to ask is an error, and no record is none', async () => {
  const alone = await keeper()
  for (const one of [await all.make(), alone]) {
    await expect(seqs(one)).rejects.toMatchObject(UNAVAILABLE)
    await expect(one.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject(NOT_PROVIDED)
  }
  // what lies here is told all the same
  const found: number[] = []
  await expect(seqs(alone, KEY, found)).rejects.toMatchObject(UNAVAILABLE)
  expect(found).toEqual([1])
})

test('a node without rules keeps no records and finds none', async () => {
  const bare = await all.make({ dht: true })
  const node = await connected(await keeper(), bare)
  await expect(node.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject(NOT_PROVIDED)
  expect(await seqs(bare)).toEqual([])
})

test('a lookup ends with its signal, and with whoever stops listening', async () => {
  const [a, b] = (await clique(3)) as [Made, Made]
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
  const init = { identity: newKey(), dataDir: await all.dir() }
  const a = await keeper(init)
  const b = await connected(await keeper(), a)
  await takes(b, note(KEY, { seq: 2 }), 1)
  await a.network[Symbol.asyncDispose]()
  await b.network[Symbol.asyncDispose]()

  const again = await keeper(init)
  const c = await connected(await keeper(), again)
  await expect(c.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject(NOT_PROVIDED)
  await c.network[Symbol.asyncDispose]()
  const d = await connected(await keeper({ role: 'client', listen: [] }), again)
  expect(await seqs(d)).toEqual([2])
})
