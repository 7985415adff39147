import { expect } from 'vitest'
import { author, copyAt, createWorld, hexOf, idOf, it, of, sent, service, settled, stop, versions } from './fixtures.ts'

it('the higher seq stands, the older one is neither shared nor forwarded any more', async ({ open: world, signer }) => {
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

it('an older one that comes later is ignored, also when its successor is forgotten', async ({
  open: world,
  signer,
}) => {
  const [v1, v2] = versions(signer)
  await world.settle(copyAt(v2))
  await world.intake.publish(service(signer, { name: 'own' }))
  expect(world.journal.prune(1)).toEqual([idOf(v2)])
  world.intake = createWorld({ journal: world.journal }).intake
  expect(await world.hear(copyAt(v1))).toBe('ignore')
  expect(await world.intake.submit(copyAt(v1), 'sync', 'p')).toMatchObject({
    outcome: 'refused',
    why: 'older',
    retry: false,
  })
  expect(world.journal.announcements.count()).toBe(1)
  expect(world.intake.syncSource.wants([[v1.signed.id, 4]])).toEqual([])
})

it('versions of one name: at equal seq the smaller id stands, in whatever order they come', async ({ signer }) => {
  const both = [service(signer, { title: 'one' }), service(signer, { title: 'two' })]
  const digest = (announcement: (typeof both)[0]) => hexOf(announcement.signed.id.multihash.digest)
  both.sort((a, b) => (digest(a) < digest(b) ? -1 : 1))
  const [smaller, larger] = both as [(typeof both)[0], (typeof both)[0]]
  for (const order of [
    [smaller, larger],
    [larger, smaller],
  ]) {
    const world = createWorld({ decide: () => true })
    for (const announcement of order) {
      await world.settle(copyAt(announcement))
    }
    expect(world.listed().map(([cid]) => cid.toString())).toEqual([idOf(smaller)])
  }
})

it('versions of one name: follows a long chain in any order', async ({ signer }) => {
  const chain = Array.from({ length: 12 }, (_, seq) => service(signer, { seq }))
  const world = createWorld({ decide: () => false })
  for (const index of [3, 0, 7, 5, 6, 7, 11, 2, 10, 1])
    await world.settle(copyAt(chain[index] as (typeof chain)[0], index % 5))
  expect(of(world, 'intake:superseded').map(({ by }) => by)).toEqual(
    [7, 11].map((seq) => idOf(chain[seq] as (typeof chain)[0])),
  )
  expect(
    world.journal.announcements
      .all()
      .filter(({ state }) => state === 'live')
      .map(({ seq }) => seq),
  ).toEqual([11])
})

it('an update travels where its predecessor did, whatever the verdict on it', async ({ signer }) => {
  const versions = [0, 1, 2].map((seq) => service(signer, { seq })) as [
    ReturnType<typeof service>,
    ...ReturnType<typeof service>[],
  ]
  const world = createWorld({ decide: (id) => id === idOf(versions[0]) })
  for (const version of versions) {
    await world.settle(copyAt(version))
  }
  expect(world.out.map(({ hex }) => hex)).toEqual(versions.map((version) => hexOf(copyAt(version, 3))))
  expect(world.decided).toHaveLength(3)
})

it('versions of one name: an update waits for the verdict on its predecessor', async ({ signer }) => {
  const [v1, v2] = versions(signer)
  const world = createWorld()
  await world.hear(copyAt(v1))
  await world.hear(copyAt(v2))
  world.asked[1]?.answer(false)
  await settled()
  expect(world.kept(v2)?.redirect).toBeUndefined()
  await world.decide(true)
  // the predecessor is over by now: only the update travels
  expect(world.out.map(({ hex }) => hex)).toEqual([hexOf(copyAt(v2, 3))])
})

it('a stop ends the service, needs no verdict to travel, and keeps old ones out', async ({ closed: world, signer }) => {
  const [v1, v2] = versions(signer)
  const end = stop(signer, { seq: 2 })
  await world.hear(copyAt(v1))
  await world.settle(copyAt(end, 3))
  expect(of(world, 'intake:stopped')).toMatchObject([{ name: 'web', seq: 2, ids: [idOf(v1)] }])
  expect(world.out).toEqual([sent('published', end, 2)])
  expect(world.kept(v1)).toMatchObject({ state: 'stopped', endedBy: idOf(end) })
  expect(await world.intake.submit(copyAt(v2), 'sync', 'p')).toMatchObject({ why: 'older' })
  expect(world.listed()).toEqual([[end.signed.id, 2]])
})

it('a stop: that comes before its service is kept and passed on, also when quotas are full', async () => {
  const world = createWorld({
    decide: () => true,
    quotas: { newAuthorsPerPeerPerMinute: 1, newPerAuthorPerMinute: 1, servicesPerAuthor: 1 },
  })
  const signer = author()
  await world.hear(copyAt(service(author())))
  await world.settle(copyAt(service(author())))
  world.out.length = 0
  const end = stop(signer, { seq: 5 })
  await world.settle(copyAt(end))
  expect(world.out).toEqual([sent('published', end, 3)])
  expect(of(world, 'intake:stopped')).toMatchObject([{ ids: [] }])
  const again = createWorld({ journal: world.journal, decide: () => true })
  expect(await again.hear(copyAt(service(signer, { seq: 5 })))).toBe('ignore')
  expect(again.decided).toEqual([])
  const next = service(signer, { seq: 6 })
  expect(await again.intake.submit(copyAt(next), 'sync', 'p')).toMatchObject({ outcome: 'new' })
  // begun anew after a stop: the stop's way is no recommendation
  expect(again.journal.announcements.get(idOf(next))?.predecessor).toBeUndefined()
  expect(again.journal.announcements.get(idOf(end))?.state).toBe('superseded')
})

it('a stop: given while the verdict is pending: nothing of the service leaves', async ({ world, signer }) => {
  const running = service(signer)
  const end = stop(signer)
  await world.hear(copyAt(running, 3))
  const waiting = world.hear(copyAt(running, 2))
  await world.hear(copyAt(end, 1))
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
