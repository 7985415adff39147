import { describe, expect, it } from 'vitest'
import { accessFor, decodeAccess, signAccess } from '../../../protocols/access.ts'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createAccessTokens } from '../../../src/light-peer/access-tokens.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'

const NOW = 1_700_000_000
const clock = manualClock(NOW * 1000)
const [author, holder, other] = [newSigner(), newSigner(), newSigner()]
const [SERVICE, ANOTHER] = [cidOfStructure(Uint8Array.of(1)), cidOfStructure(Uint8Array.of(2))]
const network = 'test'
const given = signAccess(
  accessFor(SERVICE, holder.address, ['results'], { issued: NOW, expires: NOW + 60 }),
  network,
  author,
)

describe('the token that a light peer shows', () => {
  it("is signed by the author where it has the author's key, for this peer, one service and one right", () => {
    const token = createAccessTokens({ clock }, { network, author, self: holder.address })(SERVICE, 'logs')
    expect(decodeAccess(token as Uint8Array).body).toEqual(
      accessFor(SERVICE, holder.address, ['logs'], { issued: NOW, expires: NOW + 3600 }),
    )
  })

  it('is the one that it was given, for what that names and nothing else', () => {
    const tokens = createAccessTokens({ clock }, { network, access: given, self: holder.address })
    expect(tokens(SERVICE, 'results')).toEqual(given)
    expect([tokens(SERVICE, 'logs'), tokens(ANOTHER, 'results')]).toEqual([undefined, undefined])
  })

  it('is none without a key or a token', () => {
    expect(createAccessTokens({ clock }, { network, self: holder.address })(SERVICE, 'results')).toBeUndefined()
  })

  it('is refused where it is for another peer, or damaged', () => {
    const at = (access: Uint8Array) => () => createAccessTokens({ clock }, { network, access, self: other.address })
    expect(at(given)).toThrow(/the access token is for \S+, and this peer is/)
    expect(at(given.subarray(1))).toThrow('the access token is damaged')
  })
})
