import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'vitest'
import { encodeAnnouncement } from '../../../protocols/announcement.ts'
import { SignatureError } from '../../../protocols/errors.ts'
import { createKeyCache, type KeyCache, type Signer, signedBytes } from '../../../protocols/signature.ts'
import { author, copyAt, createWorld, hexOf, it, NETWORK, NOW, of, sent, service, stop } from './fixtures.ts'

it('a forged copy with the id of an honest one does not block it', async ({ open: world, announcement }) => {
  const { signed, ticket } = announcement
  const forged = encodeAnnouncement({ signed: { ...signed, sig: signed.sig.map((byte) => byte ^ 1) }, ticket })
  const copies = [
    world.receive(forged, 'dishonest'),
    world.receive(copyAt(announcement)),
    world.receive(forged.slice(), 'dishonest'),
  ]
  const answers = await Promise.all(copies)
  expect(answers.slice(0, 2)).toEqual(['reject', 'ignore'])
  expect(await world.intake.gossip(forged, 'dishonest')).toBe('reject')
  await world.intake.idle()
  expect(world.out).toEqual([sent('published', announcement, 3)])
  expect(world.delivered).toEqual(['peer'])
})

it('signatures and time: verifies each announcement once, however many copies come', async ({ announcement }) => {
  let checks = 0
  const real = createKeyCache()
  const keys: KeyCache = {
    verify: (...signed) => {
      checks++
      return real.verify(...signed)
    },
  }
  const world = createWorld({ decide: () => true, keys })
  await Promise.all([4, 3, 2, 1, 0, 4].map((depth) => world.intake.gossip(copyAt(announcement, depth), 'peer')))
  await world.intake.submit(copyAt(announcement), 'sync', 'other')
  expect(checks).toBe(1)
})

it('the first of two valid signatures of a body is kept, with the better ticket of either', async ({ open: world }) => {
  const secret = ed25519.utils.randomSecretKey()
  const signer = {
    address: { type: 'ed25519', key: ed25519.getPublicKey(secret) },
    sign: (bytes) => ed25519.sign(bytes, secret),
  } satisfies Signer
  const announcement = service(signer)
  const sig = otherSignature(secret, announcement.signed.bytes)
  const again = { ...announcement, signed: { ...announcement.signed, sig } }
  expect(hexOf(sig)).not.toBe(hexOf(announcement.signed.sig))
  await world.settle(copyAt(announcement, 2))
  expect(await world.settle(copyAt(again, 4))).toBe('ignore')
  expect(world.out.map(({ hex }) => hex)).toEqual([hexOf(copyAt(announcement, 1)), hexOf(copyAt(announcement, 3))])
})

it('signatures and time: early and expired ones are ignored and not kept', async ({ world }) => {
  const early = service(author(), { issued: NOW + 121, expires: NOW + 500 })
  const expired = service(author(), { issued: NOW - 100, expires: NOW })
  for (const announcement of [early, expired]) {
    expect(await world.receive(copyAt(announcement))).toBe('ignore')
    expect(world.intake.syncSource.wants([[announcement.signed.id, 4]])).toEqual([])
  }
  expect(world.count()).toBe(0)
  expect(world.intake.stats().outdated).toBe(2)
  // the check of the clock receives the one in the future
  expect(of(world, 'intake:early')).toEqual([{ via: 'gossip', from: 'peer', aheadMs: 121_000 }])
})

it('signatures and time: of another network is rejected', async ({ world }) => {
  expect(await world.receive(copyAt(service(author(), {}, 'other')))).toBe('reject')
  expect(of(world, 'intake:refused')).toMatchObject([{ via: 'gossip', from: 'peer' }])
})

it('signatures and time: sync hands the error to the caller that pulled', async ({ world }) => {
  const { arrive } = world.intake.syncSource
  const elsewhere = copyAt(service(author(), {}, 'other'))
  await expect(arrive(elsewhere, 'dishonest', 'sync')).rejects.toThrow(SignatureError)
  await expect(arrive(copyAt(service(author())), 'dishonest', 'tell')).rejects.toThrow('only a stop')
  await expect(arrive(copyAt(stop(author())), 'friend', 'tell')).resolves.toBeUndefined()
})

/** A second signature of the same bytes, with a nonce of its own: what only the author can make. */
function otherSignature(secret: Uint8Array, body: Uint8Array): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(secret)
  const field = ed25519.Point.Fn
  const nonce = 123_456_789n
  const commitment = ed25519.Point.BASE.multiply(nonce).toBytes()
  const message = signedBytes(NETWORK, 'service', body)
  const hash = createHash('sha512').update(commitment).update(pointBytes).update(message).digest()
  const challenge = field.create(BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`))
  const answer = field.create(nonce + challenge * scalar)
  const bytes = Buffer.from(answer.toString(16).padStart(64, '0'), 'hex').reverse()
  return Uint8Array.of(...commitment, ...bytes)
}
