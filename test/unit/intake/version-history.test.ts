import { expect } from 'vitest'
import type { Announcement } from '../../../protocols/announcement.ts'
import {
  author,
  copyAt,
  createWorld,
  hexOf,
  idOf,
  it,
  nextTurn,
  of,
  sent,
  service,
  stop,
  versions,
} from './fixtures.ts'

it('the higher seq is current, the older one is neither shared nor forwarded any more', async ({
  open: world,
  signer,
}) => {
  const [v1, v2] = versions(signer)
  await world.settle(copyAt(v1))
  await world.settle(copyAt(v2))
  expect(of(world, 'intake:superseded')).toEqual([{ old: idOf(v1), by: idOf(v2) }])
  expect(world.kept(v1)).toMatchObject({ state: 'superseded', endedBy: idOf(v2) })
  expect(world.kept(v2)).toMatchObject({ state: 'live', predecessor: idOf(v1) })
  expect(world.listed()).toEqual([[v2.signed.id, 3]])
  expect(world.intake.syncSource.get(v1.signed.id)).toBeUndefined()
  expect(world.intake.syncSource.wants([[v1.signed.id, 8]])).toEqual([])
})

it('an older one that comes later is ignored, also when its successor is forgotten', async ({ open, signer }) => {
  let world = open
  const [v1, v2] = versions(signer)
  await world.settle(copyAt(v2))
  await world.intake.publish(service(signer, { name: 'own' }))
  expect(world.journal.prune(1)).toEqual([idOf(v2)])
  world = createWorld({ journal: world.journal })
  expect(await world.receive(copyAt(v1))).toBe('ignore')
  expect(await world.sync(v1)).toMatchObject({ outcome: 'refused', why: 'older', retry: false })
  expect(world.count()).toBe(1)
  expect(world.intake.syncSource.wants([[v1.signed.id, 4]])).toEqual([])
})

it('versions of one name: at equal seq the smaller id is current, in whatever order they come', async ({ signer }) => {
  const digest = ({ signed }: Announcement) => hexOf(signed.id.multihash.digest)
  const both = ['one', 'two'].map((title) => service(signer, { title }))
  both.sort((a, b) => (digest(a) < digest(b) ? -1 : 1))
  for (const order of [both, both.toReversed()]) {
    const world = createWorld({ decide: () => true })
    for (const announcement of order) await world.settle(copyAt(announcement))
    expect(world.listed().map(([cid]) => cid.toString())).toEqual([idOf(both[0] as Announcement)])
  }
})

it('versions of one name: follows a long chain in any order', async ({ signer }) => {
  const chain = Array.from({ length: 12 }, (_, seq) => service(signer, { seq }))
  const world = createWorld({ decide: () => false })
  const at = (seq: number) => chain[seq] as Announcement
  for (const seq of [3, 0, 7, 5, 6, 7, 11, 2, 10, 1]) await world.settle(copyAt(at(seq), seq % 5))
  expect(of(world, 'intake:superseded').map(({ by }) => by)).toEqual([7, 11].map((seq) => idOf(at(seq))))
  const live = world.journal.announcements.all().filter(({ state }) => state === 'live')
  expect(live.map(({ seq }) => seq)).toEqual([11])
})

it('an update travels where its predecessor did, whatever the verdict on it', async ({ signer }) => {
  const all = versions(signer)
  const world = createWorld({ decide: (id) => id === idOf(all[0]) })
  for (const version of all) await world.settle(copyAt(version))
  expect(world.out.map(({ hex }) => hex)).toEqual(all.map((version) => hexOf(copyAt(version, 3))))
  expect(world.decided).toHaveLength(3)
})

it('versions of one name: an update waits for the verdict on its predecessor', async ({ signer }) => {
  const [v1, v2] = versions(signer)
  const world = createWorld()
  await world.receive(copyAt(v1))
  await world.receive(copyAt(v2))
  world.asked[1]?.answer(false)
  await nextTurn()
  expect(world.kept(v2)?.redirect).toBeUndefined()
  await world.decide(true)
  // the predecessor is over by now: only the update travels
  expect(world.out.map(({ hex }) => hex)).toEqual([hexOf(copyAt(v2, 3))])
})

it('a stop ends the service, needs no verdict to travel, and keeps old ones out', async ({ closed: world, signer }) => {
  const [v1, v2] = versions(signer)
  const end = stop(signer, { seq: 2 })
  await world.receive(copyAt(v1))
  await world.settle(copyAt(end, 3))
  expect(of(world, 'intake:stopped')).toMatchObject([{ name: 'web', seq: 2, ids: [idOf(v1)] }])
  expect(world.out).toEqual([sent('published', end, 2)])
  expect(world.kept(v1)).toMatchObject({ state: 'stopped', endedBy: idOf(end) })
  expect(await world.sync(v2)).toMatchObject({ why: 'older' })
  expect(world.listed()).toEqual([[end.signed.id, 2]])
})

it('a stop: that comes before its service is kept and redirected, also when quotas are full', async () => {
  const quotas = { newAuthorsPerPeerPerMinute: 1, newPerAuthorPerMinute: 1, servicesPerAuthor: 1 }
  const world = createWorld({ decide: () => true, quotas })
  const signer = author()
  await world.receive(copyAt(service(author())))
  await world.settle(copyAt(service(author())))
  world.out.length = 0
  const end = stop(signer, { seq: 5 })
  await world.settle(copyAt(end))
  expect(world.out).toEqual([sent('published', end, 3)])
  expect(of(world, 'intake:stopped')).toMatchObject([{ ids: [] }])
  const again = createWorld({ journal: world.journal, decide: () => true })
  expect(await again.receive(copyAt(service(signer, { seq: 5 })))).toBe('ignore')
  expect(again.decided).toEqual([])
  const next = service(signer, { seq: 6 })
  expect(await again.sync(next)).toMatchObject({ outcome: 'new' })
  // begun again after a stop: the stop's way is no recommendation
  expect(again.journal.announcements.get(idOf(next))?.predecessor).toBeUndefined()
  expect(again.journal.announcements.get(idOf(end))?.state).toBe('superseded')
})

it('a stop: given while the verdict is pending: nothing of the service leaves', async ({ world, signer }) => {
  const running = service(signer)
  const end = stop(signer)
  await world.receive(copyAt(running, 3))
  const waiting = world.receive(copyAt(running, 2))
  await world.receive(copyAt(end, 1))
  world.asked[0]?.answer(true)
  expect(await waiting).toBe('ignore')
  await world.intake.idle()
  expect(world.out).toEqual([sent('published', end, 0)])
})

it('a stop: published here ends the own service', async ({ world, signer }) => {
  const mine = service(signer)
  await world.intake.publish(mine)
  await world.intake.publish(stop(signer))
  expect(of(world, 'intake:stopped')).toMatchObject([{ ids: [idOf(mine)] }])
  await expect(world.intake.publish(service(signer))).rejects.toThrow('a stop of "web" with seq 0 is known')
})

it('a stop: is forwarded like any emission when a neighbour was faster', async ({ world }) => {
  const end = stop(author())
  world.seen.add(hexOf(copyAt(end, 2)))
  await world.settle(copyAt(end, 3))
  expect(world.offers).toEqual([[end.signed.id, 2]])
})
