import { Record as DhtRecord } from '@libp2p/kad-dht'
import { expect, test } from 'vitest'
import type { MessageStream } from '../../../src/base/stream.ts'
import { note, noteRules, readNote } from '../../unit/network/rules.ts'
import { connect, type Made, networks, until } from '../network/make.ts'

const all = networks()

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
function putter(from: Made, to: Made) {
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

async function seqs(of: Made, key: string): Promise<number[]> {
  const found: number[] = []
  for await (const value of of.network.dht.findValues(key)) found.push(readNote(value).seq)
  return found
}

test('a peer that offers thousands of valid junk records gets its share, and honest records stay and come', async () => {
  const { rules, count } = noteRules()
  const victim = await all.make({ dht: true }, { recordValidator: rules })
  const honest = await all.make({ dht: true }, { recordValidator: rules })
  const attacker = await all.make()
  await connect(honest, victim)
  await connect(attacker, victim)
  await until(async () => (await honest.network.dht.putValue('/attest/a', note('/attest/a')).catch(() => 0)) === 1, 'a')
  const refusals = new Map<string, number>()
  victim.events.on('network:refused', ({ peer, reason }) => {
    expect(peer).toBe(attacker.network.peerId)
    refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
  })

  const checksBefore = count.checks
  const startMs = performance.now()
  let taken = 0
  let at = 0
  const flood = async () => {
    const put = putter(attacker, victim)
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
  const late = await all.make({ dht: true, role: 'client', listen: [] }, { recordValidator: rules })
  await connect(late, victim)
  expect([await seqs(late, '/attest/a'), await seqs(late, '/attest/b')]).toEqual([[1], [1]])
}, 60_000)

test('in a mesh of twenty, where everybody knows a few, a record is found from everywhere and its successor too', async () => {
  const { rules } = noteRules()
  const nodes: Made[] = []
  for (let at = 0; at < 20; at++) {
    const made = await all.make({ dht: true }, { recordValidator: rules })
    for (const neighbour of new Set([at - 1, at >> 1])) {
      const other = nodes[neighbour]
      if (other !== undefined) await connect(made, other)
    }
    nodes.push(made)
  }
  const [first, last] = [nodes[0] as Made, nodes[19] as Made]
  const key = '/attest/code'
  await until(
    async () => (await last.network.dht.putValue(key, note(key, { seq: 1 })).catch(() => 0)) >= 10,
    'it is kept',
  )
  const some = nodes.filter((_, at) => at % 3 === 1)
  for (const node of some) expect(await seqs(node, key)).toEqual([1])
  expect(await first.network.dht.putValue(key, note(key, { seq: 2 }))).toBeGreaterThanOrEqual(10)
  for (const node of some) expect(Math.max(...(await seqs(node, key)))).toBe(2)
  expect(await seqs(last, '/attest/nothing')).toEqual([])
}, 60_000)
