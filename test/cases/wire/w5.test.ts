import { describe, expect, it } from 'vitest'
import { accessFor, signAccess } from '../../../protocols/access.ts'
import { cidOfBytes, encodeCanonical } from '../../../protocols/encoding.ts'
import { decodeStatusRequest } from '../../../protocols/status.ts'
import { decodeSyncAnswer, decodeSyncRequest } from '../../../protocols/sync.ts'
import { decodeHello } from '../../../protocols/tunnel.ts'
import { ISSUED, NETWORK } from '../../../scripts/vectors/kit/kit.ts'
import { author, peer } from '../../../scripts/vectors/kit/samples.ts'

const RAW = cidOfBytes(Uint8Array.of(1))
const WANTED = /must be an id: a CIDv1, dag-cbor/

describe('a raw CID where an id should be', () => {
  it.each([
    ['status', decodeStatusRequest, { v: 1, want: 'receipt', service: RAW }],
    ['logs', decodeStatusRequest, { v: 1, want: 'logs', service: RAW, tail: 1, follow: false }],
    ['hello', decodeHello, { v: 1, service: RAW, port: 'http' }],
    ['sync, list', decodeSyncRequest, { v: 1, want: 'list', after: RAW }],
    ['sync, statements', decodeSyncRequest, { v: 1, want: 'statements', after: RAW }],
    ['sync, offer', decodeSyncRequest, { v: 1, want: 'offer', items: [[RAW, 0]] }],
    ['sync, items', decodeSyncAnswer, { is: 'items', items: [[RAW, 0]], more: false }],
  ] as const)('%s', (_, decode, message) => {
    expect(() => decode(encodeCanonical(message))).toThrow(WANTED)
  })

  it('access', () => {
    const body = accessFor(RAW, peer.address, ['logs'], { issued: ISSUED, expires: ISSUED + 60 })
    expect(() => signAccess(body, NETWORK, author)).toThrow(WANTED)
  })
})
