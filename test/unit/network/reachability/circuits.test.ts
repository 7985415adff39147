import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { RECEIPT_PROTOCOL } from '../../../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL } from '../../../../protocols/streams/archive.ts'
import { TUNNEL_PROTOCOL } from '../../../../protocols/streams/tunnel.ts'
import { addressGroup, peerOf } from '../../../../src/network/host/address.ts'
import { createTransientBuffers } from '../../../../src/network/host/transient-buffers.ts'
import { limitsOf } from '../../../../src/network/limits/table.ts'
import { circuitThrough, isCircuit } from '../../../../src/network/reachability/circuit-address.ts'
import { HOP_PROTOCOL, STOP_PROTOCOL } from '../../../../src/network/reachability/constants.ts'
import { openCircuit } from '../../../../src/network/reachability/open-circuit.ts'
import { shareReads } from '../../../../src/network/reachability/relay-transport.ts'
import { runsRelayed } from '../../../../src/network/reachability/relayed-protocols.ts'

const RELAY = '12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH'
const PEER = '12D3KooWBNxKKd8uUziV6qJZMjT5CWRjWcW7kfDrGPbDerRCEY1a'

test('a peer that comes through a relay does not count as the address of the relay', () => {
  const direct = multiaddr(`/ip4/9.9.9.9/tcp/4980/p2p/${RELAY}`)
  const circuit = multiaddr(`${circuitThrough(direct, RELAY)}/p2p/${PEER}`)
  expect(addressGroup(direct)).toBe('9.9.9.9')
  expect(addressGroup(circuit)).toBe(`relay ${RELAY}`)
  expect([isCircuit(direct), isCircuit(circuit), peerOf(circuit)]).toEqual([false, true, PEER])
})

test('what is announced is the address at which the relay was reached, with its peer id once', () => {
  const address = `/ip4/9.9.9.9/tcp/4980/p2p/${RELAY}/p2p-circuit`
  expect(circuitThrough(multiaddr('/ip4/9.9.9.9/tcp/4980'), RELAY)).toBe(address)
  expect(circuitThrough(multiaddr(`/ip4/9.9.9.9/tcp/4980/p2p/${RELAY}`), RELAY)).toBe(address)
})

test('receipts, archives and tunnels run on circuits; what nobody chose does not', () => {
  for (const protocol of [RECEIPT_PROTOCOL, ARCHIVE_PROTOCOL, TUNNEL_PROTOCOL]) expect(runsRelayed(protocol)).toBe(true)
  for (const protocol of ['/thundercloud/test/kad/1.0.0', '/other/1']) expect(runsRelayed(protocol)).toBe(false)
})

test('bytes of a circuit are not taken for frames of one peer', () => {
  for (const protocol of [HOP_PROTOCOL, STOP_PROTOCOL]) expect(limitsOf(protocol, 'inbound')).toEqual({})
})

test('a direct connection is better than any circuit, and of circuits the youngest', () => {
  const connection = (open: number, more: object) => ({ status: 'open', timeline: { open }, ...more }) as Connection
  const [old, young] = [connection(1, { limits: {} }), connection(2, { limits: {} })]
  expect(openCircuit([old, young])).toBe(young)
  expect(openCircuit([old, connection(3, {})])).toBeUndefined()
  expect(openCircuit([connection(4, { limits: {}, status: 'closed' }), old])).toBe(old)
  expect(openCircuit([])).toBeUndefined()
})

test('what came through a circuit shares its memory with other streams, and is not released with it', () => {
  const buffers = createTransientBuffers()
  const seen: Uint8Array[] = []
  const connection = { onData: (data: Uint8Array | Iterable<Uint8Array>) => void seen.push(data as Uint8Array) }
  shareReads(connection, buffers)
  const decrypted = new Uint8Array(32 * 1024).fill(7)
  buffers.own(decrypted)
  const ofCircuit = decrypted.subarray(16 * 1024)
  connection.onData(ofCircuit)
  buffers.releaseAtEnd(ofCircuit)
  expect([seen[0]?.byteLength, decrypted[0]]).toEqual([16 * 1024, 7])
})
