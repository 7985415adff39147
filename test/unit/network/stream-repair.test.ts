import type { Connection } from '@libp2p/interface'
import { test as base, expect } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { GOSSIP_REPAIR_MS } from '../../../src/network/constants.ts'
import { keepGossipStreams } from '../../../src/network/gossip/stream-repair.ts'

/** A peer with two connections and no gossip stream, and how often it was identified. */
const test = base.extend('peer', ({ onTestFinished }) => {
  const clock = manualClock()
  const connection = { remotePeer: { toString: () => 'peer' }, status: 'open' } as unknown as Connection
  const peer = { clock, has: false, speaks: true, identified: 0, opens: true }
  const repair = keepGossipStreams({
    clock,
    log: silentLog(),
    connections: () => [connection, connection],
    hasStream: () => peer.has,
    speaks: async () => peer.speaks,
    identify: async () => {
      peer.identified++
      peer.has = peer.opens
    },
  })
  onTestFinished(() => repair[Symbol.dispose]())
  return peer
})

test('a connected peer without a gossip stream is identified again, once it lacked it for two looks', async ({
  peer,
}) => {
  // with a stream; a fresh connection, which has none yet and needs no help; at the second look; and with a stream again
  for (const [has, looks, identified] of [
    [true, 5, 0],
    [false, 1, 0],
    [false, 1, 1],
    [true, 5, 1],
  ] as const) {
    peer.has = has
    await peer.clock.advance(looks * GOSSIP_REPAIR_MS)
    expect(peer.identified).toBe(identified)
  }
})

test('a peer that never opens a stream is identified ever more rarely, and not where it speaks no gossip', async ({
  peer,
}) => {
  peer.opens = false
  await peer.clock.advance(1000 * GOSSIP_REPAIR_MS)
  expect(peer.identified).toBeGreaterThan(5)
  expect(peer.identified).toBeLessThan(30)
  peer.speaks = false
  const before = peer.identified
  await peer.clock.advance(1000 * GOSSIP_REPAIR_MS)
  expect(peer.identified).toBe(before)
})
