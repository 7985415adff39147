import { expect } from 'vitest'
import type { Announcement } from '../../../protocols/announcement.ts'
import { createDeferredPulls } from '../../../src/intake/deferred-pulls.ts'
import { author, copyAt, createWorld, idOf, it, of, service, stop, type World } from './fixtures.ts'

type Four = [Announcement, Announcement, Announcement, Announcement]
const named = (count: number, signer = author()) =>
  Array.from({ length: count }, (_, index) => service(signer, { name: `s${index}` })) as Four

/** Does what the network does with a pull: the neighbour hands over what it was asked for. */
async function answerPulls(world: World, known: Announcement[]): Promise<number> {
  const pulls = world.pulls.splice(0)
  for (const { peer, ids } of pulls)
    for (const announcement of known.filter((one) => ids.includes(idOf(one))))
      await world.intake.syncSource.arrive(copyAt(announcement), peer, 'sync')
  return pulls.length
}

it('a few new services a minute by gossip; the rest is pulled and arrives all the same', async ({ clock }) => {
  const world = createWorld({ clock, decide: () => true, quotas: { newPerAuthorPerMinute: 4 } })
  world.intake.boot()
  const services = named(10)
  for (const announcement of services) expect(await world.settle(copyAt(announcement), 'alice')).toBe('ignore')
  expect(world.count()).toBe(4)
  expect(world.intake.stats()).toMatchObject({ deferred: 6, dropped: { 'author-rate': 6 } })
  const fifth = idOf((services as Announcement[])[4] as Announcement)
  expect(of(world, 'intake:dropped')[0]).toMatchObject({ why: 'author-rate', from: 'alice', id: fifth })
  await clock.advance(5000)
  expect(await answerPulls(world, services)).toBe(1)
  await world.intake.idle()
  expect(world.count()).toBe(10)
  expect(world.out).toHaveLength(10)
  expect(world.intake.stats().deferred).toBe(0)
})

it('quotas: counts again after a minute, and updates and stops not at all', async ({ clock, signer }) => {
  const world = createWorld({ clock, decide: () => true, quotas: { newPerAuthorPerMinute: 2, servicesPerAuthor: 3 } })
  const [a, b, c] = named(3, signer)
  for (const one of [a, b, c]) await world.receive(copyAt(one))
  expect(world.count()).toBe(2)
  for (let seq = 1; seq < 6; seq++) await world.receive(copyAt(service(signer, { name: 's0', seq })))
  await world.receive(copyAt(stop(signer, { name: 's1' })))
  expect(world.journal.announcements.named('s0')).toHaveLength(6)
  await clock.advance(60_000)
  expect(await world.intake.submit(copyAt(c), 'api', 'someone')).toMatchObject({ outcome: 'new' })
})

it('quotas: one author: so many live services, by whatever way, until one ends', async ({ clock, signer }) => {
  const world = createWorld({ clock, decide: () => true, quotas: { servicesPerAuthor: 3 } })
  const [a, b, c, d] = named(4, signer)
  for (const one of [a, b, c]) await world.sync(one)
  expect(await world.sync(d)).toMatchObject({ why: 'author-services', retry: true })
  expect(world.intake.stats().deferred).toBe(0)
  expect(world.intake.syncSource.wants([[d.signed.id, 4]])).toEqual([])
  await world.receive(copyAt(stop(signer, { name: 's0' })))
  await clock.advance(10 * 60_000)
  expect(world.intake.syncSource.wants([[d.signed.id, 4]])).toHaveLength(1)
  expect(await world.sync(d)).toMatchObject({ outcome: 'new' })
  expect(await world.intake.submit(copyAt(service(signer, { name: 'e' })), 'local')).toMatchObject({ outcome: 'new' })
})

it('quotas: one peer with many keys does not use up the share of another', async () => {
  const world = createWorld({ decide: () => true, quotas: { newAuthorsPerPeerPerMinute: 5 } })
  for (let index = 0; index < 20; index++) await world.receive(copyAt(service(author())), 'flood')
  expect(world.count()).toBe(5)
  await world.receive(copyAt(service(author())), 'honest')
  expect(world.count()).toBe(6)
  expect(world.intake.stats().dropped['peer-authors']).toBe(15)
})

it('quotas: someone at the API: many services of one author, but not of many authors', async () => {
  const quotas = { newPerAuthorPerMinute: 1, newAuthorsPerPeerPerMinute: 3 }
  const world = createWorld({ decide: () => true, quotas })
  for (const one of named(10)) expect(await world.intake.submit(copyAt(one), 'api')).toMatchObject({ outcome: 'new' })
  const strangers = Array.from({ length: 4 }, () => service(author()))
  const outcomes = await Promise.all(strangers.map((one) => world.intake.submit(copyAt(one), 'api')))
  expect(outcomes.map((one) => one.outcome)).toEqual(['new', 'new', 'refused', 'refused'])
  expect(outcomes[3]).toMatchObject({ why: 'peer-authors', retry: true })
  expect(world.intake.stats().deferred).toBe(0)
})

it('quotas: a forged announcement uses up no share', async () => {
  const quotas = { newPerAuthorPerMinute: 1, newAuthorsPerPeerPerMinute: 1 }
  const world = createWorld({ decide: () => true, quotas })
  const signer = author()
  const honest = service(signer)
  const forged = service(signer, { name: 'b' }, 'another-network')
  for (let index = 0; index < 5; index++) expect(await world.intake.gossip(copyAt(forged), 'p')).toBe('reject')
  await world.receive(copyAt(honest), 'p')
  expect(world.journal.announcements.has(idOf(honest))).toBe(true)
})

it('a full queue: drops with a counter, and what it dropped arrives later', async ({ clock }) => {
  const world = createWorld({ clock, quotas: { queueMax: 6, servicesPerAuthor: 1000 } })
  world.intake.boot()
  const services = named(100)
  for (const announcement of services) await world.receive(copyAt(announcement), 'alice')
  expect(world.intake.stats()).toMatchObject({ deciding: 70, deferred: 30, dropped: { 'queue-full': 30 } })
  // nothing is asked for while there is no capacity
  await clock.advance(5000)
  expect(world.pulls).toEqual([])
  for (let round = 0; round < 4; round++) {
    for (const { answer } of world.asked.splice(0)) answer(true)
    await clock.advance(5000)
    await answerPulls(world, services)
  }
  for (const { answer } of world.asked.splice(0)) answer(true)
  await world.intake.idle()
  expect(world.count()).toBe(100)
  expect(world.out).toHaveLength(100)
  expect(world.decided).toHaveLength(100)
})

const id = (number: number) => service(author(), { name: `n${number}` }).signed.id

it('the list of what was missed: when full takes from the peer that has most: a flood pushes out the flood', () => {
  const deferred = createDeferredPulls(10)
  const honest = id(0)
  deferred.add('honest', honest, 'quiet')
  for (let number = 0; number < 100; number++) deferred.add(`flood ${number}`, honest, 'loud')
  expect(deferred.size).toBe(10)
  expect([...deferred.take(0, 2).keys()].sort()).toEqual(['loud', 'quiet'])
})

it('the list of what was missed: asks peers in turns, another one each time, ever more rarely, and gives up', () => {
  const deferred = createDeferredPulls(10)
  const cid = id(1)
  deferred.add('a', cid, 'p')
  deferred.add('a', cid, 'q')
  const asked: string[] = []
  for (let ms = 0; ms < 1_000_000; ms += 1000)
    for (const peer of deferred.take(ms, 5).keys()) asked.push(`${peer} ${ms / 1000}`)
  expect(asked).toEqual(['p 0', 'q 5', 'p 15', 'q 35', 'p 75', 'q 155'])
  expect([deferred.size, deferred.lost]).toEqual([0, 1])
})

it('the list of what was missed: forgets what has arrived', () => {
  const deferred = createDeferredPulls(10)
  deferred.add('a', id(2), 'p')
  deferred.done('a')
  deferred.done('b')
  expect([deferred.size, deferred.take(0, 5).size, deferred.lost]).toEqual([0, 0, 0])
})
