import { expect } from 'vitest'
import { createKeyCache, type KeyCache } from '../../../protocols/signature.ts'
import { InputError } from '../../../src/base/errors.ts'
import { createReceive } from '../../../src/publishing/receive.ts'
import { copyAt, createWorld, idOf, it, service } from '../intake/fixtures.ts'

/** Intake and its journal, as behind the API; counts how often a signature is checked. */
function receiver() {
  const keys = createKeyCache()
  let checks = 0
  const counting: KeyCache = {
    verify(...signed) {
      checks++
      return keys.verify(...signed)
    },
  }
  const world = createWorld({ keys: counting })
  const publisher = {
    publish: async (one: Parameters<typeof world.intake.publish>[0]) => (await world.intake.publish(one)).id,
  }
  const receive = createReceive({ journal: world.journal, intake: world.intake, publisher })
  return { world, receive, checks: () => checks }
}

it('what the operator publishes is checked once, and is known the second time', async ({ announcement }) => {
  const { world, receive, checks } = receiver()
  const id = idOf(announcement)
  expect(await receive(copyAt(announcement), { asPublisher: true })).toEqual({ outcome: 'new', id })
  expect(checks()).toBe(1)
  expect(world.kept(announcement)).toMatchObject({ own: true, via: 'local' })
  expect(await receive(copyAt(announcement), { asPublisher: true })).toEqual({ outcome: 'known', id })
})

it('what a stranger hands in is checked once, and a copy of it not at all', async ({ announcement }) => {
  const { world, receive, checks } = receiver()
  const id = idOf(announcement)
  for (const outcome of ['new', 'known']) {
    expect(await receive(copyAt(announcement))).toEqual({ outcome, id })
    expect(checks()).toBe(1)
  }
  expect(world.kept(announcement)).toMatchObject({ own: false, via: 'api' })
})

it('a forged one is refused on both ways, with the same sentence, and is not kept', async ({
  announcement,
  signer,
}) => {
  const { world, receive } = receiver()
  const { signed, ticket } = announcement
  const other = service(signer)
  const forged = copyAt({ signed: { ...signed, sig: other.signed.sig }, ticket })
  const refused = await receive(forged)
  const sentence = /^sig: is not the service signature of this author in network/
  expect(refused).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(sentence), retry: false })
  const published = receive(forged, { asPublisher: true })
  await expect(published).rejects.toThrow(InputError)
  await expect(published).rejects.toThrow(sentence)
  expect(world.count()).toBe(0)
})

it.for([Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(0x85, 1, 2, 3, 4, 5)])(
  'malformed bytes are refused on both ways, with the same sentence',
  async (bytes) => {
    const { world, receive } = receiver()
    const refused = await receive(bytes)
    if (refused.outcome !== 'refused') throw new Error('it was taken in')
    const published = receive(bytes, { asPublisher: true })
    await expect(published).rejects.toThrow(InputError)
    await expect(published).rejects.toThrow(refused.reason)
    expect(world.count()).toBe(0)
  },
)
