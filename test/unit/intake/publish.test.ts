import { expect } from 'vitest'
import type { Announcement } from '../../../protocols/announcement.ts'
import { SignatureError } from '../../../protocols/errors.ts'
import type { SyncItem } from '../../../protocols/streams/sync.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { author, copyAt, createWorld, idOf, it, NOW, NOW_MS, nextTurn, sent, service, stop } from './fixtures.ts'

/** What became of a publication, once gossip has answered. */
async function published(world: ReturnType<typeof createWorld>, announcement: Announcement) {
  const { id, mesh } = await world.intake.publish(announcement)
  return { id, mesh: await mesh }
}

it('emits undiminished, without a verdict, and forwards nothing that comes back', async ({ announcement }) => {
  const world = createWorld({ redirectionDepth: () => 1 })
  expect(await published(world, announcement)).toEqual({ id: idOf(announcement), mesh: 'published' })
  expect(world.out).toEqual([sent('published', announcement, 4)])
  for (const depth of [3, 2]) expect(await world.receive(copyAt(announcement, depth))).toBe('ignore')
  expect(world.decided).toEqual([])
  expect(world.kept(announcement)).toMatchObject({ own: true, redirect: true, via: 'local', emittedDepth: 4 })
  expect(world.listed()).toEqual([[announcement.signed.id, 4]])
  expect(await published(world, announcement)).toMatchObject({ mesh: 'unsent' })
})

it('publishing: without peers is reported, and repeated when a peer connects', async () => {
  const clock = manualClock(NOW_MS)
  let alone = true
  const world = createWorld({ clock, alone: () => alone })
  world.intake.boot()
  const announcement = service(author())
  expect(await published(world, announcement)).toMatchObject({ mesh: 'no-peers' })
  alone = false
  await clock.advance(61_000)
  await world.intake.idle()
  expect(world.out).toHaveLength(1)
})

it('publishing refuses what is older than known, expired, or not of this network', async ({ world, signer }) => {
  await world.intake.publish(service(signer, { seq: 2 }))
  for (const [refused, why] of [
    [service(signer, { seq: 1 }), 'seq: is 1, but a service of "web" with seq 2'],
    [service(signer, { name: 'b', issued: NOW - 10, expires: NOW }), 'it has expired'],
    [service(signer, { name: 'c' }, 'other'), SignatureError],
  ] as const)
    await expect(world.intake.publish(refused)).rejects.toThrow(why)
})

it('emits what it redirects now, and stops sharing what it does not', async ({ closed: world, announcement }) => {
  await world.settle(copyAt(announcement, 3))
  world.intake.setRedirect(idOf(announcement), true)
  await world.intake.idle()
  expect(world.out).toHaveLength(1)
  expect(world.listed()).toHaveLength(1)
  world.intake.setRedirect(idOf(announcement), false)
  expect(world.listed()).toHaveLength(0)
  world.intake.setRedirect(idOf(announcement), true)
  await world.intake.idle()
  expect(world.out).toHaveLength(1)
})

it('a node that re-decides: asks again for a verdict that failed', async ({ clock, world }) => {
  world.intake.boot()
  const announcement = service(author())
  await world.receive(copyAt(announcement, 3))
  world.asked[0]?.fail(new Error('the runner died'))
  await nextTurn()
  expect(world.intake.stats()).toMatchObject({ decisionsFailed: 1, deciding: 0 })
  // nothing waits for a verdict that is not asked for
  expect(await world.receive(copyAt(announcement, 2))).toBe('ignore')
  await clock.advance(61_000)
  world.asked[1]?.answer(true)
  await world.intake.idle()
  expect(world.out).toEqual([sent('offered', announcement, 2)])
})

it('sync: wants what is unknown, and a better depth only where it helps', async () => {
  const world = createWorld({ decide: (id) => id !== idOf(refusedOne), redirectionDepth: () => 3 })
  const signer = author()
  const known = service(signer)
  const refusedOne = service(signer, { name: 'b' })
  const unknown = service(signer, { name: 'c' })
  await world.receive(copyAt(known, 2))
  await world.settle(copyAt(refusedOne, 2))
  const wants = (announcement: typeof known, depth: number) =>
    world.intake.syncSource.wants([[announcement.signed.id, depth]]).length === 1
  for (const one of [wants(unknown, 0), wants(known, 3)]) expect(one).toBe(true)
  for (const one of [wants(known, 2), wants(refusedOne, 4)]) expect(one).toBe(false)
  await world.sync(known, 3)
  // above REDIRECTION_DEPTH nothing is gained
  expect(wants(known, 4)).toBe(false)
})

it('sync looks at thousands of announcements in a moment: of what is not in memory, it reads no body', async () => {
  const decide = (id: string) => id !== idOf(refused)
  const before = createWorld({ decide, redirectionDepth: () => 3 })
  const [signer, stopped] = [author(), author()]
  const [known, own, refused, ended] = [service(signer), service(), service(signer, { name: 'b' }), service(stopped)]
  for (const one of [known, refused, ended, stop(stopped)]) await before.settle(copyAt(one, 2))
  await before.intake.publish(own)
  const items = [known, refused, ended, own].map((one): SyncItem => [one.signed.id, 3])
  expect(before.intake.syncSource.wants(items)).toEqual([known.signed.id])
  const listed = before.listed()
  expect(listed).toHaveLength(3)
  const after = before.restart({ decide, redirectionDepth: () => 3 })
  await after.intake.idle()
  const reads: string[] = []
  const { get } = before.journal.announcements
  Object.assign(before.journal.announcements, { get: (id: string) => reads.push(id) && get(id) })
  expect(after.intake.syncSource.wants(items)).toEqual([known.signed.id])
  expect(after.listed()).toEqual(listed)
  expect(reads).toEqual([])
})

it('sync lists in pages, only what this node would emit, and hands it out', async ({ open: world, signer }) => {
  for (let index = 0; index < 30; index++)
    await world.receive(copyAt(service(signer, { name: `s${index}` }), index % 3))
  await world.intake.idle()
  const listed = []
  for (;;) {
    const page = world.intake.syncSource.list(listed.at(-1)?.[0], 7)
    listed.push(...page)
    if (page.length < 7) break
  }
  expect(listed).toHaveLength(20)
  const other = createWorld({ decide: () => true })
  for (const [cid] of listed) {
    const bytes = world.intake.syncSource.get(cid) as Uint8Array
    expect(await other.intake.submit(bytes, 'sync', 'p')).toMatchObject({ outcome: 'new', id: cid.toString() })
  }
})

it('a publication is answered once it is journalled, also while gossip waits for a neighbour', async ({
  announcement,
}) => {
  const taken = Promise.withResolvers<'published'>()
  const world = createWorld({ publishing: () => taken.promise })
  const { id, mesh } = await world.intake.publish(announcement)
  expect(world.kept(announcement)).toMatchObject({ own: true })
  expect(id).toBe(idOf(announcement))
  taken.resolve('published')
  expect(await mesh).toBe('published')
})
