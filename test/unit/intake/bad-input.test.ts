import { expect } from 'vitest'
import { encodeAnnouncement } from '../../../protocols/announcement.ts'
import { UnavailableError } from '../../../src/base/errors.ts'
import { type Rng, seededRng } from '../../../src/base/rng.ts'
import type { Journal } from '../../../src/journal/index.ts'
import { author, copyAt, createWorld, it, of, sent, service } from './fixtures.ts'

/** One change of the kinds that broken and hostile peers make. */
function mutate(bytes: Uint8Array, rng: Rng): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = rng.int(copy.byteLength)
  switch (rng.int(5)) {
    case 0:
      copy[at] = (copy[at] as number) ^ (1 << rng.int(8))
      return copy
    case 1:
      return copy.subarray(0, at)
    case 2:
      return Uint8Array.of(...copy, ...rng.bytes(1 + rng.int(20)))
    case 3:
      return Uint8Array.of(...copy.subarray(0, at), ...rng.bytes(1 + rng.int(4)), ...copy.subarray(at))
    default:
      return Uint8Array.of(...copy.subarray(0, at), ...copy.subarray(at + 1 + rng.int(8)))
  }
}

it('1,000 mutations: each rejected with a reason, nothing stored, nothing remembered, nothing asked', async ({
  open: world,
  announcement,
}) => {
  const bytes = copyAt(announcement)
  for (let seed = 0; seed < 1000; seed++) {
    const bad = mutate(bytes, seededRng(`mutation ${seed}`))
    expect([seed, await world.intake.gossip(bad, 'liar')]).toEqual([seed, 'reject'])
    const outcome = await world.intake.submit(bad, 'api')
    expect(outcome).toMatchObject({ outcome: 'refused', why: 'invalid', retry: false })
    expect(outcome.outcome === 'refused' && outcome.reason).toMatch(/^[\x20-\x7e]{5,400}$/)
    await expect(world.intake.syncSource.arrive(bad, 'liar', 'sync')).rejects.toThrow()
  }
  expect(world.journal.announcements.count()).toBe(0)
  expect(world.journal.heads.knowsAuthor(announcement.signed.body.author)).toBe(false)
  expect(world.intake.stats()).toMatchObject({ refused: 3000, received: 0, missed: 0, deciding: 0 })
  expect([world.decided, world.out, world.delivered]).toEqual([[], [], []])
  // and the honest one is as welcome as ever
  expect(await world.intake.submit(bytes, 'sync', 'p')).toMatchObject({ outcome: 'new' })
})

it('bad input: the same mutations of what is known change nothing', async ({ open: world, announcement }) => {
  const bytes = copyAt(announcement, 3)
  await world.settle(bytes)
  const before = world.journal.announcements.all()
  for (let seed = 0; seed < 1000; seed++) {
    expect(await world.intake.gossip(mutate(bytes, seededRng(`known ${seed}`)), 'liar')).toBe('reject')
  }
  expect(world.journal.announcements.all()).toEqual(before)
  expect(of(world, 'intake:better')).toEqual([])
})

it('bad input: a raised depth and a ticket of another service are rejected', async ({ open: world }) => {
  const [one, other] = [service(author()), service(author())]
  const raised = encodeAnnouncement({ signed: one.signed, ticket: { ...one.ticket, depth: 5 } })
  const borrowed = encodeAnnouncement({ signed: one.signed, ticket: other.ticket })
  for (const bytes of [raised, borrowed]) expect(await world.hear(bytes)).toBe('reject')
  await world.hear(copyAt(one, 2))
  const lifted = encodeAnnouncement({ signed: one.signed, ticket: { depth: 3, proof: one.ticket.proof } })
  expect(await world.hear(lifted)).toBe('reject')
  expect(world.kept(one)?.depth).toBe(2)
})

it('a journal that cannot be written: lets nothing through, keeps nothing, and takes the same copy when it works again', async () => {
  const real = createWorld().journal
  let broken = true
  const guard = <T>(call: () => T): T => {
    if (broken) throw new UnavailableError('the disk is full')
    return call()
  }
  const journal: Journal = { ...real, transaction: (work) => guard(() => real.transaction(work)) }
  const world = createWorld({ journal, decide: () => true })
  const announcement = service(author())
  expect(await world.hear(copyAt(announcement))).toBe('ignore')
  expect(world.intake.stats()).toMatchObject({ missed: 1, deciding: 0, dropped: { journal: 1 } })
  expect(world.decided).toEqual([])
  broken = false
  expect(await world.intake.submit(copyAt(announcement), 'sync', 'peer')).toMatchObject({ outcome: 'new' })
  await world.intake.idle()
  expect(world.out).toEqual([sent('published', announcement, 3)])
})
