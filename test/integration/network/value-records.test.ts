import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { note, noteRules, readNote } from '../../unit/network/rules.ts'
import { addressOf, connect, fixture, type Made, newKey, until } from './make.ts'

let all: ReturnType<typeof fixture>
beforeEach(() => {
  all = fixture()
})
afterEach(() => all.disposeAsync())

const { rules } = noteRules()
const KEY = '/attest/code'

async function seqs({ network }: Made, key = KEY): Promise<number[]> {
  const found: number[] = []
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
  for (let index = 0; index < count; index++) {
    const made = await all.make({ dht: true }, { recordValidator: rules })
    for (const other of nodes) await connect(made, other)
    nodes.push(made)
  }
  return nodes
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
  const light = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  for (const node of nodes) await connect(light, node)
  await expect(light.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject({
    name: 'NotProvidedError',
  })
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
  const stale = await all.make(
    { dht: true },
    {
      recordValidator: {
        ...rules,
        validate(key, value) {
          if (readNote(value).seq > 1) throw new Error('stubborn')
          return rules.validate(key, value)
        },
      },
    },
  )
  const others = await clique(3)
  const [a, b] = others as [Made, Made]
  for (const node of others) await connect(stale, node)
  await takes(stale, note(KEY, { seq: 1 }), 3)
  await takes(a, note(KEY, { seq: 2 }), 2)
  const late = await all.make({ dht: true }, { recordValidator: rules })
  for (const node of [stale, b]) await connect(late, node)
  expect(await seqs(late)).toEqual([1, 2])
})

test('a peer that answers with a forgery is not believed', async () => {
  const liar = await all.make(
    { dht: true },
    { recordValidator: { ...rules, validate: () => ({ signer: '?', issued: 0, expires: 4e9 }) } },
  )
  const honest = await all.make({ dht: true }, { recordValidator: rules })
  await connect(honest, liar)
  const refused: string[] = []
  honest.events.on('network:refused', ({ peer, reason }) => refused.push(`${peer} ${reason}`))
  await until(async () => {
    await expect(liar.network.dht.putValue(KEY, note(KEY, { seq: 9, forged: true }))).rejects.toMatchObject({
      name: 'NotProvidedError',
    })
    return refused.length > 0
  }, 'the forgery is refused')
  expect(refused[0]).toBe(`${liar.network.peerId} sig: is forged`)
  expect(await seqs(liar)).toEqual([9])
  await expect(seqs(honest)).rejects.toMatchObject({ name: 'UnavailableError' })
  const other = await all.make({ dht: true }, { recordValidator: rules })
  await connect(honest, other)
  await takes(other, note(KEY), 1)
  expect(await seqs(honest)).toEqual([1])
})

test('a peer that has fallen silent holds nobody up for long, and what others say is there at once', async () => {
  const [a, b] = (await clique(2)) as [Made, Made]
  const silent = await all.make({ dht: true }, { recordValidator: rules })
  const wire = await wireTo(silent)
  for (const node of [a, b]) await node.network.dial(`/ip4/127.0.0.1/tcp/${wire.port}/p2p/${silent.network.peerId}`)
  await takes(a, note(KEY), 2)
  const late = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  await connect(late, a)
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
  const light = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  for (const node of nodes) await connect(light, node)
  await takes(light, note(KEY), 3)
  const other = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  await connect(other, nodes[0] as Made)
  expect(await seqs(other)).toEqual([1])
})

test('nobody to ask is an error, and no record is none', async () => {
  const alone = await all.make({ dht: true }, { recordValidator: rules })
  await expect(seqs(alone)).rejects.toMatchObject({ name: 'UnavailableError' })
  await expect(alone.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject({ name: 'NotProvidedError' })
  // what lies here is told all the same
  const found: number[] = []
  const asking = (async () => {
    for await (const value of alone.network.dht.findValues(KEY)) found.push(readNote(value).seq)
  })()
  await expect(asking).rejects.toMatchObject({ name: 'UnavailableError' })
  expect(found).toEqual([1])
  const bare = await all.make()
  await expect(seqs(bare)).rejects.toMatchObject({ name: 'UnavailableError' })
  await expect(bare.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject({ name: 'NotProvidedError' })
})

test('a node without rules keeps no records and finds none', async () => {
  const bare = await all.make({ dht: true })
  const node = await all.make({ dht: true }, { recordValidator: rules })
  await connect(node, bare)
  await expect(node.network.dht.putValue(KEY, note(KEY))).rejects.toMatchObject({ name: 'NotProvidedError' })
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
  const init = { dht: true, identity: newKey(), dataDir: await all.dir() }
  const a = await all.make(init, { recordValidator: rules })
  const b = await all.make({ dht: true }, { recordValidator: rules })
  await connect(b, a)
  await takes(b, note(KEY, { seq: 2 }), 1)
  await a.network[Symbol.asyncDispose]()
  await b.network[Symbol.asyncDispose]()

  const again = await all.make(init, { recordValidator: rules })
  const c = await all.make({ dht: true }, { recordValidator: rules })
  await connect(c, again)
  await expect(c.network.dht.putValue(KEY, note(KEY, { seq: 1 }))).rejects.toMatchObject({ name: 'NotProvidedError' })
  await c.network[Symbol.asyncDispose]()
  const d = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  await connect(d, again)
  expect(await seqs(d)).toEqual([2])
})
