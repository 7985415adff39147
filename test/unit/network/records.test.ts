import { Record as DhtRecord } from '@libp2p/kad-dht'
import { MemoryDatastore } from 'datastore-core'
import fc from 'fast-check'
import { Key } from 'interface-datastore'
import { expect, test } from 'vitest'
import { toBase32 } from '../../../protocols/encoding.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createRecords, RECORDS } from '../../../src/network/dht/records.ts'
import { createRequestContext } from '../../../src/network/dht/request-context.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import { forAllAsync } from '../../fixtures/property.ts'
import { note, noteRules, readNote } from './rules.ts'

const HOUR = 3_600_000
const bytes = (text: string) => new TextEncoder().encode(text)
const nameOf = (key: string) => new Key(RECORDS + toBase32(bytes(key)), false)

const recordOf = (key: string, value: Uint8Array) => new DhtRecord(bytes(key), value, new Date(0)).serialize()

/** The store that libp2p gets, with peers that put into it as kad-dht's handler does. */
async function store(disk = new MemoryDatastore(), clock = manualClock()) {
  const requestContext = createRequestContext()
  const [inUse, penalized, refused] = [new Set<string>(), [] as string[], [] as string[]]
  const events = createEvents<NetworkEvents>()
  events.on('network:refused', ({ reason }) => refused.push(reason))
  const { rules, count } = noteRules({ on: ({ signer }) => inUse.has(signer) })
  const peerScores = { reward: () => {}, score: () => 0, penalize: (peer: string) => void penalized.push(peer) }
  const parts = { store: disk, validator: rules, requestingPeer: requestContext.currentPeer }
  const records = await createRecords({ clock, log: silentLog(), events, peerScores, ...parts }, { protocol: '/kad' })
  const own = async (key: string, value: Uint8Array) =>
    void (await records.store.put(nameOf(key), recordOf(key, value)))
  return {
    ...{ records, clock, disk, count, own, inUse, penalized, refused },
    put: (peer: string, key: string, value: Uint8Array) => requestContext.run(peer, () => own(key, value)),
    seq: async (key: string) => {
      const value = await records.local(key)
      return value === undefined ? undefined : readNote(value).seq
    },
  }
}

test('a record is served as kad-dht wrote it, and as old as it is', async () => {
  const { put, records, clock } = await store()
  await put('p', '/attest/a', note('/attest/a'))
  const served = DhtRecord.deserialize(await records.store.get(nameOf('/attest/a')))
  expect(new TextDecoder().decode(served.key)).toBe('/attest/a')
  expect(served.value).toEqual(note('/attest/a'))
  expect(served.timeReceived.getTime()).toBe(clock.now())
  await expect(records.store.get(nameOf('/attest/b'))).rejects.toMatchObject({ name: 'NotFoundError' })
})

test.each([
  [[3, 9, 1], 1],
  [[9, 3], 0],
  [[1, 2, 3], 2],
  [[2, 2], 0],
])('of records with the numbers %j that peers serve, the newest is chosen: %i', async (seqs, chosen) => {
  const { records } = await store()
  const values = seqs.map((seq, at) => note('/attest/a', { seq, pad: '.'.repeat(at) }))
  expect(records.selectors.attest?.(bytes('/attest/a'), values)).toBe(chosen)
})

test('an older record never replaces a newer one, however many come at once, from whichever peers', async () => {
  const { put, own, seq } = await store()
  const seqs = [3, 9, 1, 7, 9, 2, 8]
  const puts = seqs.map((seq, at) => put(`p${at}`, '/attest/a', note('/attest/a', { seq, pad: '.'.repeat(at) })))
  await Promise.allSettled(puts)
  expect(await seq('/attest/a')).toBe(9)
  await expect(own('/attest/a', note('/attest/a', { seq: 8 }))).rejects.toThrow('a newer record lies under this key')
  expect(await seq('/attest/a')).toBe(9)
})

test('in whatever order and however many at once they come, also over restarts: the newest stays', async () => {
  const puts = fc.record({
    key: fc.constantFrom('/attest/a', '/attest/b', '/trust/c'),
    seq: fc.integer({ min: 1, max: 6 }),
    peer: fc.constantFrom(undefined, 'p', 'q', 'r'),
  })
  const batches = fc.array(fc.array(puts, { maxLength: 8 }), { minLength: 1, maxLength: 6 })
  await forAllAsync(60, [batches], async (batches) => {
    let current = await store()
    const newest = new Map<string, number>()
    for (const batch of batches) {
      const { put, own } = current
      await Promise.allSettled(
        batch.map(({ key, seq, peer }) => {
          newest.set(key, Math.max(seq, newest.get(key) ?? 0))
          return peer === undefined ? own(key, note(key, { seq })) : put(peer, key, note(key, { seq }))
        }),
      )
      for (const [key, seq] of newest) expect(await current.seq(key)).toBe(seq)
      await current.records[Symbol.asyncDispose]()
      current = await store(current.disk, current.clock)
      expect(current.records.count()).toBe(newest.size)
    }
  })
})

test('what breaks the rules does not come in; forgeries cost their sender, other clocks do not', async () => {
  const { put, seq, clock, penalized, refused } = await store()
  const past = Math.floor(clock.now() / 1000) - 5
  const long = `/attest/${'a'.repeat(300)}`
  for (const [peer, key, value, problem] of [
    ['dishonest', '/attest/a', note('/attest/a', { forged: true }), 'forged'],
    ['dishonest', '/attest/a', note('/attest/b'), 'of another record'],
    ['dishonest', '/attest/a', note('/attest/a', { pad: '.'.repeat(5 * 1024) }), 'at most 4096'],
    ['dishonest', long, note('/attest/a'), 'longer than 256'],
    ['late', '/attest/a', note('/attest/a', { expires: past }), 'expires: is over'],
  ] as const) {
    await expect(put(peer, key, value)).rejects.toThrow(problem)
  }
  expect(await seq('/attest/a')).toBeUndefined()
  expect(penalized).toEqual(['dishonest', 'dishonest', 'dishonest', 'dishonest'])
  expect(refused).toHaveLength(5)
})

test('a record cannot be put under the place of another key', async () => {
  const { records } = await store()
  const record = recordOf('/attest/a', note('/attest/a'))
  await expect(records.store.put(nameOf('/attest/b'), record)).rejects.toThrow('not the one that it is put under')
  const batch = records.store.batch()
  batch.put(nameOf('/attest/b'), record)
  await expect(batch.commit()).rejects.toThrow('not the one that it is put under')
  expect(records.count()).toBe(0)
})

test('records end with their statement, and two days after they were last put', async () => {
  const { put, seq, records, clock, disk } = await store()
  const soon = Math.floor(clock.now() / 1000) + 3600
  await put('p', '/attest/soon', note('/attest/soon', { expires: soon }))
  await put('p', '/attest/a', note('/attest/a'))
  await put('p', '/attest/b', note('/attest/b'))
  await clock.advance(HOUR + 1000)
  expect(await seq('/attest/soon')).toBeUndefined()
  await clock.advance(40 * HOUR)
  await put('q', '/attest/b', note('/attest/b'))
  await clock.advance(8 * HOUR)
  expect([await seq('/attest/a'), await seq('/attest/b')]).toEqual([undefined, 1])
  expect(records.count()).toBe(1)
  expect((await Array.fromAsync(disk.queryKeys({}))).map(String)).toEqual([nameOf('/attest/b').toString()])
})

test('one peer places no more than its share, and puts no faster than it may', async () => {
  const { put, records, clock, count, refused } = await store()
  let taken = 0
  for (let at = 0; at < 3000; at++) {
    if (at % 8 === 0) await clock.advance(1000)
    const key = `/attest/${at}`
    const isTaken = put('flooder', key, note(key, { signer: `s${at}` })).then(() => 1)
    taken += await isTaken.catch(() => 0)
  }
  expect(taken).toBe(1024)
  expect(records.count()).toBe(1024)
  expect(refused).toContain('too many records placed by one peer')
  const before = count.checks
  for (let at = 0; at < 1000; at++) await put('flooder', '/attest/x', note('/attest/x')).catch(() => {})
  expect(count.checks - before).toBeLessThan(300)
  expect(refused.at(-1)).toBe('too many records in a short time')
})

test('one signer has no more than its share, except where this node relies on it', async () => {
  const { own, put, records, clock, inUse, refused } = await store()
  inUse.add('in-use')
  for (const signer of ['stranger', 'in-use']) {
    for (let at = 0; at < 1100; at++) {
      if (at % 8 === 0) await clock.advance(1000)
      const key = `/attest/${signer}-${at}`
      await put(`p${at % 2}`, key, note(key, { signer })).catch(() => {})
    }
  }
  expect(records.count()).toBe(1024 + 1100)
  expect(new Set(refused)).toEqual(new Set(['too many records of one signer']))
  await own('/attest/mine', note('/attest/mine', { signer: 'stranger' }))
})

test('junk of many peers pushes out junk: what this node put or relies on stays, and honest peers keep theirs', async () => {
  const { put, own, seq, records, inUse } = await store()
  await own('/attest/own', note('/attest/own', { signer: 'me' }))
  await put('honest', '/attest/honest', note('/attest/honest', { signer: 'other' }))
  await put('honest', '/attest/later', note('/attest/later', { signer: 'hub' }))
  inUse.add('hub')
  await put('honest', '/attest/in-use', note('/attest/in-use', { signer: 'hub' }))
  // a peer that places the records of others as well cannot have them counted as junk
  await put('peer-0', '/attest/honest', note('/attest/honest', { signer: 'other' }))
  for (let at = 0; at < 20_000; at++) {
    const key = `/trust/${at}`
    await put(`peer-${at % 100}`, key, note(key, { signer: `s${at}` }))
  }
  expect(records.count()).toBe(16_384)
  for (const key of ['own', 'honest', 'later', 'in-use']) expect([key, await seq(`/attest/${key}`)]).toEqual([key, 1])
  // newest junk is there, oldest went
  expect([await seq('/trust/19999'), await seq('/trust/0')]).toEqual([1, undefined])
})

test('200,000 quick junk puts of one peer: the share holds, memory does not grow, honest records stay', async () => {
  const { put, seq, records, disk, count, clock, refused } = await store()
  await put('honest', '/attest/honest', note('/attest/honest'))
  const junk = note('/attest/junk')
  for (let at = 0; at < 200_000; at++) {
    if (at % 10_000 === 0) await clock.advance(60_000)
    const key = `/attest/junk-${at}`
    await put('flooder', key, at % 2 === 0 ? note(key, { signer: `s${at}` }) : junk).catch(() => {})
  }
  expect(records.count()).toBeLessThanOrEqual(1025)
  expect(await Array.fromAsync(disk.queryKeys({}))).toHaveLength(records.count())
  expect(count.checks).toBeLessThan(256 + 20 * 60 * 8 + 10)
  expect(await seq('/attest/honest')).toBe(1)
  expect(refused.length).toBeGreaterThan(190_000)
})

test('after a restart newer still wins, quotas still count, and what is no record goes', async () => {
  const first = await store()
  await first.put('p', '/attest/a', note('/attest/a', { seq: 5 }))
  await first.put('p', '/attest/old', note('/attest/old'))
  for (let at = 0; at < 1022; at++) {
    if (at % 8 === 0) await first.clock.advance(1000)
    await first.put('p', `/attest/${at}`, note(`/attest/${at}`, { signer: `s${at}` }))
  }
  await first.clock.advance(47 * HOUR)
  await first.put('p', '/attest/a', note('/attest/a', { seq: 5 }))
  await first.records[Symbol.asyncDispose]()
  await first.disk.put(nameOf('/attest/odd'), recordOf('/attest/odd', bytes('?')))

  const again = await store(first.disk, first.clock)
  expect(again.records.count()).toBe(1024)
  await expect(again.put('q', '/attest/a', note('/attest/a', { seq: 4 }))).rejects.toThrow('a newer record')
  await expect(again.put('p', '/attest/new', note('/attest/new'))).rejects.toThrow('placed by one peer')
  await first.clock.advance(2 * HOUR)
  expect([await again.seq('/attest/a'), await again.seq('/attest/old')]).toEqual([5, undefined])
  await again.put('p', '/attest/new', note('/attest/new'))
})
