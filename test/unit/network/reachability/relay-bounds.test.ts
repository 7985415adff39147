import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import {
  HOP_REQUESTS,
  MAX_CIRCUITS,
  MAX_CIRCUITS_PER_DESTINATION,
  MAX_CIRCUITS_PER_SOURCE,
  MAX_RESERVATIONS_PER_ADDRESS,
} from '../../../../src/network/reachability/constants.ts'
import { createRelayBounds } from '../../../../src/network/reachability/relay-bounds.ts'

/** Strangers at a relay: each peer's name begins with its address. */
function relay({ perAddress = true } = {}) {
  const clock = manualClock()
  const reserved: string[] = []
  const excluded = new Set<string>()
  const addressOf = (peer: string) => (peer.startsWith('gone') ? undefined : peer.split('-')[0])
  const bounds = createRelayBounds(
    {
      clock,
      addressOf,
      reservedFrom: (except) => reserved.filter((peer) => peer !== except).map((peer) => addressOf(peer) as string),
      isExcluded: (peer) => excluded.has(peer),
    },
    { perAddress },
  )
  return { clock, reserved, excluded, bounds }
}

test('one address has a few reservations, and each of its peers may renew its own', () => {
  const { reserved, bounds } = relay()
  for (let peer = 0; peer < MAX_RESERVATIONS_PER_ADDRESS; peer++) {
    expect(bounds.mayReserve(`a-${peer}`)).toBe(true)
    reserved.push(`a-${peer}`)
  }
  expect(bounds.mayReserve('a-more')).toBe(false)
  expect(bounds.mayReserve('a-0')).toBe(true)
  expect(bounds.mayReserve('b-0')).toBe(true)
  reserved.pop()
  expect(bounds.mayReserve('a-more')).toBe(true)
})

test('on a private network all may have one address', () => {
  const { reserved, bounds } = relay({ perAddress: false })
  for (let peer = 0; peer < 10; peer++) reserved.push(`a-${peer}`)
  expect(bounds.mayReserve('a-more')).toBe(true)
})

test('an excluded peer reserves nothing, reaches nobody and is not reached; one that has left reserves nothing', () => {
  const { excluded, bounds } = relay()
  excluded.add('a-bad')
  expect([bounds.mayReserve('a-bad'), bounds.mayReserve('gone-1')]).toEqual([false, false])
  expect(bounds.mayConnect('a-bad', 'b-1')).toBe(false)
  expect(bounds.mayConnect('b-1', 'a-bad')).toBe(false)
  expect(bounds.mayConnect('b-1', 'b-2')).toBe(true)
})

test('circuits are bounded by source, by destination and in all, and an ended one counts no more', () => {
  const { bounds } = relay()
  const held = Array.from({ length: MAX_CIRCUITS_PER_SOURCE }, () => bounds.enterHop('a-1', 'a'))
  expect(held.every((place) => place !== undefined)).toBe(true)
  expect(bounds.enterHop('a-1', 'a')).toBeUndefined()
  expect(bounds.enterHop('a-2', 'a')).toBeDefined()
  held[0]?.[Symbol.dispose]()
  // ended twice, counted once
  held[0]?.[Symbol.dispose]()
  expect(bounds.enterHop('a-1', 'a')).toBeDefined()
  expect(bounds.enterHop('a-1', 'a')).toBeUndefined()

  const circuits = Array.from({ length: MAX_CIRCUITS_PER_DESTINATION }, () => bounds.enterCircuit('b-1'))
  expect(bounds.mayConnect('a-1', 'b-1')).toBe(false)
  expect(bounds.mayConnect('a-1', 'b-2')).toBe(true)
  circuits[0]?.[Symbol.dispose]()
  expect(bounds.mayConnect('a-1', 'b-1')).toBe(true)
  for (let count = bounds.circuits; count < MAX_CIRCUITS; count++) bounds.enterCircuit(`c-${count}`)
  expect([bounds.circuits, bounds.mayConnect('a-1', 'd-1')]).toEqual([MAX_CIRCUITS, false])
})

test('requests of one address are counted over all its peers, and nothing of 100 that come and go is kept', async () => {
  const { clock, bounds } = relay()
  let taken = 0
  for (let peer = 0; peer < HOP_REQUESTS.burst + 10; peer++) {
    const place = bounds.enterHop(`a-${peer}`, 'a')
    if (place !== undefined) taken++
    place?.[Symbol.dispose]()
  }
  expect(taken).toBe(HOP_REQUESTS.burst)
  expect(bounds.enterHop('b-1', 'b')).toBeDefined()
  await clock.advance(1000 / HOP_REQUESTS.perSecond)
  expect(bounds.enterHop('a-0', 'a')).toBeDefined()
  for (let time = 0; time < 100; time++) bounds.enterCircuit('c-1')[Symbol.dispose]()
  expect(bounds.circuits).toBe(0)
})
