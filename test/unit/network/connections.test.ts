import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createEstablishedConnections } from '../../../src/network/limits/connections.ts'

type Fake = { readonly connection: Connection; readonly name: string }

/** Connections that are established, by address; `static` peers are the operator's. */
function pool(init: { max: number; perAddress?: number }) {
  const open: Fake[] = []
  const closed: string[] = []
  let at = 0
  const clock = manualClock()
  const connections = () => open.map(({ connection }) => connection)
  const isStatic = (peer: string) => peer.startsWith('static')
  const established = createEstablishedConnections({ clock, connections, isStatic }, { ...init, idleMs: 60_000 })
  const leave = (name: string) => {
    closed.push(name)
    const index = open.findIndex((one) => one.name === name)
    if (index >= 0) open.splice(index, 1)
  }
  return {
    clock,
    closed,
    open: () => open.map(({ name }) => name),
    /** As the library asks before a connection is established, and then establishes it. */
    enter(address: string, name: string, streams: readonly string[] = []): boolean {
      if (!established.admit(address)) return false
      const connection = {
        direction: 'inbound',
        remoteAddr: multiaddr(`/ip4/${address}/tcp/1`),
        remotePeer: { toString: () => name },
        streams: streams.map((protocol) => ({ protocol })),
        timeline: { open: at++ },
        abort: () => leave(name),
        close: async () => leave(name),
      }
      open.push({ name, connection: connection as unknown as Connection })
      return true
    },
  }
}

const USED = ['/meshsub/1.2.0']

test('an address with its share displaces an unused connection of its own, and no other', () => {
  const { enter, closed } = pool({ max: 100, perAddress: 3 })
  enter('192.0.2.1', 'honest')
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter('192.0.2.2', name)
  expect(closed).toEqual(['a3'])
})

test('where all of its share is used, one more is refused', () => {
  const { enter, closed } = pool({ max: 100, perAddress: 2 })
  expect(enter('192.0.2.2', 'a1', USED)).toBe(true)
  expect(enter('192.0.2.2', 'a2', USED)).toBe(true)
  expect(enter('192.0.2.2', 'a3')).toBe(false)
  expect(enter('192.0.2.3', 'honest')).toBe(true)
  expect(closed).toEqual([])
})

test('when all places are taken, the address that has most gives one to a newcomer, used or not', () => {
  const { enter, closed, open } = pool({ max: 6 })
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter('192.0.2.2', name, USED)
  for (const name of ['b1', 'b2']) enter('192.0.2.3', name)
  expect(enter('192.0.2.4', 'honest')).toBe(true)
  expect(closed).toEqual(['a4'])
  expect(open()).toContain('honest')
})

test('what the operator named is not displaced, and not closed for being idle', async () => {
  const { enter, closed, clock } = pool({ max: 2 })
  enter('192.0.2.2', 'static 1')
  enter('192.0.2.2', 'static 2')
  expect(enter('192.0.2.3', 'stranger')).toBe(false)
  await clock.advance(200_000)
  expect(closed).toEqual([])
})

test('a connection without use for a minute is closed; a ping is no use', async () => {
  const { enter, closed, clock } = pool({ max: 10 })
  enter('192.0.2.2', 'used', USED)
  enter('192.0.2.3', 'pinging', ['/ipfs/ping/1.0.0'])
  await clock.advance(55_000)
  expect(closed).toEqual([])
  await clock.advance(20_000)
  expect(closed).toEqual(['pinging'])
})
