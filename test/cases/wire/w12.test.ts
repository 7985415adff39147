import { createHash } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import { addressOfPeerId, peerIdBytes, peerIdOf } from '../../../protocols/address.ts'
import { claimDistance } from '../../../protocols/claims.ts'
import { hex } from '../../../scripts/vectors/kit/kit.ts'
import { CODE, peer } from '../../../scripts/vectors/kit/samples.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

it('the bytes of a peer id are those of libp2p, 38 of them; those of a CID are 36', () => {
  const text = peerIdOf(peer.address)
  expect(hex(peerIdBytes(peer.address))).toBe(hex(peerIdFromString(text).toMultihash().bytes))
  expect(peerIdBytes(addressOfPeerId(text))).toHaveLength(38)
  expect(CODE.bytes).toHaveLength(36)
})

it('the distance is of the hashes of exactly these', () => {
  const [a, b] = [sha256(peerIdFromString(peerIdOf(peer.address)).toMultihash().bytes), sha256(CODE.bytes)]
  expect(hex(claimDistance(peer.address, CODE))).toBe(hex(a.map((byte, at) => byte ^ (b[at] ?? 0))))
})
