import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { GOSSIP_REPAIR_MS } from '../../../src/network/constants.ts'
import { keepGossipStreams } from '../../../src/network/gossip/stream-repair.ts'

test('a connected peer without a gossip stream is identified again, once it lacked it for two looks', async () => {
  const clock = manualClock()
  const connection = { remotePeer: { toString: () => 'peer' }, status: 'open' } as unknown as Connection
  let has = true
  let identified = 0
  using _ = keepGossipStreams({
    clock,
    log: silentLog(),
    connections: () => [connection, connection],
    hasStream: () => has,
    speaks: async () => true,
    identify: async () => {
      identified++
      has = true
    },
  })
  await clock.advance(5 * GOSSIP_REPAIR_MS)
  expect(identified).toBe(0)
  has = false
  // a fresh connection has no stream yet, and needs no help
  await clock.advance(GOSSIP_REPAIR_MS)
  expect(identified).toBe(0)
  await clock.advance(GOSSIP_REPAIR_MS)
  expect(identified).toBe(1)
  await clock.advance(5 * GOSSIP_REPAIR_MS)
  expect(identified).toBe(1)
})

test('a peer that never opens a stream is identified ever more rarely, and not at all where it speaks no gossip', async () => {
  const clock = manualClock()
  const connection = { remotePeer: { toString: () => 'peer' }, status: 'open' } as unknown as Connection
  let speaks = true
  let identified = 0
  using _ = keepGossipStreams({
    clock,
    log: silentLog(),
    connections: () => [connection],
    hasStream: () => false,
    speaks: async () => speaks,
    identify: async () => void identified++,
  })
  await clock.advance(1000 * GOSSIP_REPAIR_MS)
  expect(identified).toBeGreaterThan(5)
  expect(identified).toBeLessThan(30)
  speaks = false
  const before = identified
  await clock.advance(1000 * GOSSIP_REPAIR_MS)
  expect(identified).toBe(before)
})
