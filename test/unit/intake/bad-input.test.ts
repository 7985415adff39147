import fc from 'fast-check'
import { equals } from 'uint8arrays'
import { expect } from 'vitest'
import { encodeAnnouncement } from '../../../protocols/announcement.ts'
import { UnavailableError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { explainSqlite } from '../../../src/journal/errors.ts'
import type { Journal } from '../../../src/journal/index.ts'
import { mutation } from '../protocols/mutations.ts'
import { author, copyAt, createWorld, it, of, sent, service } from './fixtures.ts'

/** Changes of the kinds that broken and hostile peers make. */
function mutated(bytes: Uint8Array, count: number): Uint8Array[] {
  const some = fc.sample(mutation, { numRuns: 2 * count, seed: count }).map(({ apply }) => apply(bytes))
  return some.filter((changed) => !equals(changed, bytes)).slice(0, count)
}

it('rejected with a reason, nothing stored, remembered or asked', async ({ open: world, announcement }) => {
  const bytes = copyAt(announcement)
  for (const [index, bad] of mutated(bytes, 1000).entries()) {
    expect([index, await world.intake.gossip(bad, 'dishonest')]).toEqual([index, 'reject'])
    const outcome = await world.intake.submit(bad, 'api')
    expect(outcome).toMatchObject({ outcome: 'refused', why: 'invalid', retry: false })
    expect(outcome.outcome === 'refused' && outcome.reason).toMatch(/^[\x20-\x7e]{5,400}$/)
    await expect(world.intake.syncSource.arrive(bad, 'dishonest', 'sync')).rejects.toThrow()
  }
  expect(world.count()).toBe(0)
  expect(world.journal.heads.knowsAuthor(announcement.signed.body.author)).toBe(false)
  expect(world.intake.stats()).toMatchObject({ refused: 3000, received: 0, deferred: 0, deciding: 0 })
  expect([world.decided, world.out, world.delivered]).toEqual([[], [], []])
  // and the honest one is as welcome as ever
  expect(await world.intake.submit(bytes, 'sync', 'p')).toMatchObject({ outcome: 'new' })
})

it('bad input: the same mutations of what is known change nothing', async ({ open: world, announcement }) => {
  const bytes = copyAt(announcement, 3)
  await world.settle(bytes)
  const before = world.journal.announcements.all()
  for (const bad of mutated(bytes, 1000)) expect(await world.intake.gossip(bad, 'dishonest')).toBe('reject')
  expect(world.journal.announcements.all()).toEqual(before)
  expect(of(world, 'intake:better')).toEqual([])
})

it('bad input: a raised depth and a ticket of another service are rejected', async ({ open: world }) => {
  const [one, other] = [service(author()), service(author())]
  const raised = encodeAnnouncement({ signed: one.signed, ticket: { ...one.ticket, depth: 5 } })
  const borrowed = encodeAnnouncement({ signed: one.signed, ticket: other.ticket })
  for (const bytes of [raised, borrowed]) expect(await world.receive(bytes)).toBe('reject')
  await world.receive(copyAt(one, 2))
  const lifted = encodeAnnouncement({ signed: one.signed, ticket: { depth: 3, proof: one.ticket.proof } })
  expect(await world.receive(lifted)).toBe('reject')
  expect(world.kept(one)?.depth).toBe(2)
})

/** A log that keeps what it warned of, with the reason. */
function listening() {
  const warned: string[] = []
  const warn = (message: string, more?: object) => void warned.push([message, ...Object.values(more ?? {})].join(': '))
  return { warned, log: { ...silentLog(), warn } }
}

it('a journal that cannot be written lets nothing through, and takes the same copy when it works', async ({
  announcement,
}) => {
  const real = createWorld().journal
  let broken = true
  const transaction: Journal['transaction'] = (work) => {
    if (broken) throw new UnavailableError('the disk is full')
    return real.transaction(work)
  }
  const journal = { ...real, transaction }
  const { log, warned } = listening()
  const world = createWorld({ journal, log, decide: () => true })
  expect(await world.receive(copyAt(announcement))).toBe('ignore')
  expect(world.intake.stats()).toMatchObject({ deferred: 1, deciding: 0, dropped: { journal: 1 } })
  expect(world.decided).toEqual([])
  // the log says it, and not for each
  expect(await world.receive(copyAt(service()))).toBe('ignore')
  expect(warned).toEqual(['announcements are not taken until the journal can be written: the disk is full'])
  broken = false
  expect(await world.intake.submit(copyAt(announcement), 'sync', 'peer')).toMatchObject({ outcome: 'new' })
  await world.intake.idle()
  expect(world.out).toEqual([sent('published', announcement, 3)])
})

it.for<[why: string, errcode: number, said: string]>([
  ['its disk is full', 13, 'the disk is full: the journal /j cannot grow; free some space'],
  ['its disk does not answer', 10 | (3 << 8), 'the journal /j cannot be written now: disk I/O error'],
  ['another has it', 5, 'the journal /j cannot be written now: disk I/O error'],
  ['a table of it is locked', 6, 'the journal /j cannot be written now: disk I/O error'],
])('the log says why the journal cannot be written: %s', async ([, errcode, said]) => {
  const transaction = () => {
    throw explainSqlite(Object.assign(new Error('disk I/O error'), { errcode }), '/j')
  }
  const { log, warned } = listening()
  const world = createWorld({ journal: { ...createWorld().journal, transaction }, log })
  expect(await world.receive(copyAt(service()))).toBe('ignore')
  expect(warned).toEqual([`announcements are not taken until the journal can be written: ${said}`])
})
