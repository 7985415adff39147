import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { encode as varint } from 'uint8-varint'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import { createPeerScores } from '../../../src/network/gossip/peer-scores.ts'
import { addressGroup } from '../../../src/network/host/address.ts'
import { createExclusion } from '../../../src/network/limits/exclusion.ts'
import { createFrameCounter } from '../../../src/network/limits/frame-counter.ts'
import { createPendingConnections } from '../../../src/network/limits/pending.ts'
import { createOpenSlots } from '../../../src/network/streams/open-slots.ts'
import { forAll } from '../../fixtures/property.ts'

/** A pool of handshakes that tells whose were evicted, by name and in order. */
function poolOf(init: { max: number; perAddress: number }) {
  const pool = createPendingConnections(init)
  const evicted: string[] = []
  return { pool, evicted, enter: (address: string, name: string) => pool.enter(address, () => evicted.push(name)) }
}

test('an address over its share loses its own oldest handshake, and no other address loses one', () => {
  const { pool, evicted, enter } = poolOf({ max: 10, perAddress: 2 })
  enter('honest', 'h1')
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter('flood', name)
  expect(evicted).toEqual(['a1', 'a2'])
  expect(pool.size).toBe(3)
})

test('where all places are taken, the oldest of the greediest address goes for a newcomer', () => {
  const { pool, evicted, enter } = poolOf({ max: 6, perAddress: 4 })
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) enter(name.charAt(0), name)
  const own = enter('c', 'c1')
  enter('honest', 'h1')
  expect(evicted).toEqual(['a1'])
  own[Symbol.dispose]()
  own[Symbol.dispose]()
  expect(pool.size).toBe(5)
})

test('whatever others do, a newcomer from an address below its share stays until it is done', () => {
  const steps = fc.array(fc.nat(15), { minLength: 1, maxLength: 400 })
  forAll(100, [steps], (addresses) => {
    const { pool, evicted, enter } = poolOf({ max: 32, perAddress: 8 })
    for (const [at, address] of addresses.entries()) {
      enter(`flood ${address}`, `${at}`)
      const own = enter('honest', 'honest')
      own[Symbol.dispose]()
      expect(pool.size).toBeLessThanOrEqual(32)
    }
    expect(evicted).not.toContain('honest')
  })
})

test('frames are counted whatever pieces they come in', () => {
  const lengths = fc.array(fc.oneof(fc.constant(0), fc.nat(300), fc.constant(20_000)), { maxLength: 20 })
  forAll(100, [lengths, fc.integer({ min: 1, max: 500 })], (sizes, cut) => {
    const bytes = Buffer.concat(sizes.flatMap((size) => [varint(size), Buffer.alloc(size, 0xff)]))
    const counter = createFrameCounter(20_000)
    let frames = 0
    for (let at = 0; at < bytes.byteLength; at += cut) frames += Number(counter.add(bytes.subarray(at, at + cut)))
    expect(frames).toBe(sizes.length)
  })
})

test('a frame that is too long is recognized by its prefix alone', () => {
  for (const prefix of [varint(1001), new Uint8Array(5).fill(0x80)])
    expect(createFrameCounter(1000).add(prefix)).toBe('too-long')
  expect(createFrameCounter(1000).add(new Uint8Array(5))).toBe(5)
})

test('an IPv6 address counts by its /64, a mapped one as IPv4', () => {
  const group = (text: string) => addressGroup(multiaddr(text))
  expect(group('/ip4/192.0.2.7/tcp/1')).toBe('192.0.2.7')
  expect(group('/ip6/2001:db8:1:2::1/tcp/1')).toBe(group('/ip6/2001:db8:1:2:3:4:5:6/tcp/9'))
  expect(group('/ip6/2001:db8:1:2::1/tcp/1')).not.toBe(group('/ip6/2001:db8:1:3::1/tcp/1'))
  expect(group('/ip6/::1/tcp/1')).toBe('0:0:0:0::/64')
})

/** Peers that misbehave until they are excluded; `static` is the operator's. */
function excluding() {
  const clock = manualClock()
  const scoreTable = createPeerScores(() => clock.monotonic())
  const events = createEvents<NetworkEvents>()
  const excluded: { peer: string; forMs: number }[] = []
  const disconnected: string[] = []
  events.on('network:excluded', ({ peer, forMs }) => excluded.push({ peer, forMs }))
  const exclusion = createExclusion({
    ...{ clock, scoreTable, events, log: silentLog() },
    isStatic: (peer) => peer === 'static',
    disconnect: (peer) => disconnected.push(peer),
  })
  const misbehave = (peer: string, times: number) => {
    for (let count = 0; count < times; count++) {
      scoreTable.penalize(peer)
      exclusion.checkScore(peer)
    }
  }
  return { clock, scoreTable, exclusion, excluded, disconnected, misbehave }
}

test('a dishonest peer is excluded for a minute, and for twice as long each time that it goes on', async () => {
  const { clock, exclusion, excluded, disconnected, misbehave } = excluding()
  misbehave('dishonest', 7)
  expect(exclusion.leftMs('dishonest')).toBe(0)
  misbehave('dishonest', 2)
  expect(disconnected).toEqual(['dishonest'])
  for (let round = 0; round < 12; round++) {
    await clock.advance(exclusion.leftMs('dishonest') + 1)
    expect(exclusion.leftMs('dishonest')).toBe(0)
    misbehave('dishonest', 9)
  }
  const minutes = excluded.map(({ forMs }) => forMs / 60_000)
  expect(minutes.slice(0, 5)).toEqual([1, 2, 4, 8, 16])
  expect(Math.max(...minutes)).toBe(360)
  // a day without: it begins again
  await clock.advance(exclusion.leftMs('dishonest') + 25 * 3_600_000)
  misbehave('dishonest', 9)
  expect(excluded.at(-1)?.forMs).toBe(60_000)
})

test('a static node is never out for longer than the first time', async () => {
  const { clock, exclusion, excluded, misbehave } = excluding()
  for (let round = 0; round < 6; round++) {
    misbehave('static', 9)
    await clock.advance(exclusion.leftMs('static') + 1)
  }
  expect(excluded.map(({ forMs }) => forMs)).toEqual(Array(6).fill(60_000))
})

test('what gossip holds against a peer excludes it, too', () => {
  const { exclusion, scoreTable } = excluding()
  exclusion.checkScore('peer', -79)
  expect(exclusion.leftMs('peer')).toBe(0)
  exclusion.checkScore('peer', -81)
  expect(exclusion.leftMs('peer')).toBe(60_000)
  expect(scoreTable.score('peer')).toBe(0)
})

const forever = new AbortController().signal

test('slots are taken in the order of their requests', async () => {
  const slots = createOpenSlots(1)
  const order: string[] = []
  const first = await slots.take('peer', forever)
  const others = ['a', 'b'].map(async (name) => {
    using _slot = await slots.take('peer', forever)
    order.push(name)
  })
  expect(order).toEqual([])
  first[Symbol.dispose]()
  await Promise.all(others)
  expect(order).toEqual(['a', 'b'])
})

test('a slot that is freed in the moment in which its taker gives up goes to the next', async () => {
  const slots = createOpenSlots(1)
  const first = await slots.take('peer', forever)
  const leaving = new AbortController()
  const left = slots.take('peer', leaving.signal)
  const next = slots.take('peer', forever)
  leaving.abort(new Error('gave up'))
  first[Symbol.dispose]()
  await expect(left).rejects.toThrow('gave up')
  const second = await next
  second[Symbol.dispose]()
  await expect(slots.take('peer', forever)).resolves.toBeDefined()
})
