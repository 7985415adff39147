import { expect } from 'vitest'
import { author, copyAt, createWorld, hexOf, idOf, it, nextTurn, of, sent, service } from './fixtures.ts'

it('a new service: is journalled, decided once, and emitted one hop lower', async ({ world, announcement }) => {
  expect(await world.receive(copyAt(announcement, 3), 'alice')).toBe('ignore')
  expect(world.kept(announcement)).toMatchObject({ depth: 3, from: 'alice', via: 'gossip', redirect: undefined })
  expect(of(world, 'intake:received')).toMatchObject([{ name: 'web', depth: 3, via: 'gossip', from: 'alice' }])
  expect(world.delivered).toEqual(['alice'])
  expect(world.asked).toHaveLength(1)
  await world.decide(true)
  expect(world.out).toEqual([sent('published', announcement, 2)])
  expect(world.kept(announcement)).toMatchObject({ redirect: true, emittedDepth: 2 })
  expect(world.decided).toHaveLength(1)
})

it('what is not redirected stays silent, also for better and equal copies', async ({ closed: world, announcement }) => {
  for (const depth of [2, 3, 1, 0, 4]) expect(await world.settle(copyAt(announcement, depth))).toBe('ignore')
  expect(world.out).toEqual([])
  expect(world.listed()).toEqual([])
  expect(world.intake.syncSource.get(announcement.signed.id)).toBeUndefined()
})

it('a new service: at depth 0 goes no further, and with REDIRECTION_DEPTH 0 none does', async ({ open: world }) => {
  await world.receive(copyAt(service(author()), 0))
  const silent = createWorld({ decide: () => true, redirectionDepth: () => 0 })
  await silent.receive(copyAt(service(author()), 4))
  await world.intake.idle()
  await silent.intake.idle()
  expect([...world.out, ...silent.out]).toEqual([])
  expect(silent.listed()).toEqual([])
})

it('the copy that would be our emission awaits a late verdict, and is forwarded', async ({ world, announcement }) => {
  await world.receive(copyAt(announcement, 3))
  const answer = world.receive(copyAt(announcement, 2), 'faster')
  await nextTurn()
  expect(world.intake.stats().copiesWaiting).toBe(1)
  world.asked[0]?.answer(true)
  expect(await answer).toBe('accept')
  await world.intake.idle()
  expect(world.out).toEqual([sent('forwarded', announcement, 2)])
  expect(world.offers).toEqual([])
})

it('the verdict that is late: and negative lets it be ignored', async ({ world, announcement }) => {
  await world.receive(copyAt(announcement, 3))
  const answer = world.receive(copyAt(announcement, 2))
  world.asked[0]?.answer(false)
  expect(await answer).toBe('ignore')
})

it('the emission is offered, for gossip has seen it', async ({ clock, announcement }) => {
  const world = createWorld({ clock, verdictTimeoutMs: 500 })
  await world.receive(copyAt(announcement, 3))
  const answer = world.receive(copyAt(announcement, 2))
  await clock.advance(500)
  expect(await answer).toBe('ignore')
  await world.decide(true)
  expect(world.out).toEqual([sent('offered', announcement, 2)])
  expect(world.offers).toEqual([[announcement.signed.id, 2]])
})

it('a late verdict comes when a better copy has made our emission another one', async ({ world, announcement }) => {
  await world.receive(copyAt(announcement, 2))
  const answer = world.receive(copyAt(announcement, 1))
  await world.receive(copyAt(announcement, 4))
  world.asked[0]?.answer(true)
  expect(await answer).toBe('ignore')
  await world.intake.idle()
  expect(world.out).toEqual([sent('published', announcement, 3)])
})

it('the first copy is forwarded when a better one makes it the emission', async ({ clock, announcement }) => {
  const world = createWorld({ clock, holdMs: 2000, decide: () => true })
  const first = world.receive(copyAt(announcement, 2))
  await nextTurn()
  expect(world.intake.stats().copiesWaiting).toBe(1)
  const better = world.receive(copyAt(announcement, 3))
  expect(await first).toBe('accept')
  await clock.advance(2000)
  expect(await better).toBe('ignore')
  expect(world.out).toEqual([sent('published', announcement, 1), sent('forwarded', announcement, 2)])
  expect(world.offers).toEqual([])
  // the publisher's own copy cannot be bettered: nothing waits for it
  expect(await world.receive(copyAt(announcement, 4))).toBe('ignore')
})

it('the verdict that is late: and negative keeps no first copy waiting', async () => {
  const world = createWorld({ holdMs: 2000 })
  const answer = world.receive(copyAt(service(author()), 2))
  await nextTurn()
  world.asked[0]?.answer(false)
  expect(await answer).toBe('ignore')
  expect(world.intake.stats().copiesWaiting).toBe(0)
})

it('the verdict that is late: bounds the copies that wait', async ({ signer }) => {
  const world = createWorld({ quotas: { queueMax: 2 } })
  const answers: unknown[] = []
  for (const name of ['a', 'b', 'c']) {
    const announcement = service(signer, { name })
    await world.receive(copyAt(announcement, 3))
    answers.push(world.receive(copyAt(announcement, 2)))
  }
  expect(await answers[2]).toBe('ignore')
  expect(world.intake.stats()).toMatchObject({ copiesWaiting: 2, dropped: { 'waiting-full': 1 } })
  await world.intake[Symbol.asyncDispose]()
  expect(await Promise.all(answers)).toEqual(['ignore', 'ignore', 'ignore'])
})

it('a better depth: that comes after the emission is emitted again', async ({ open: world, announcement }) => {
  await world.settle(copyAt(announcement, 2))
  await world.settle(copyAt(announcement, 4))
  expect(world.out.map(({ hex }) => hex)).toEqual([hexOf(copyAt(announcement, 1)), hexOf(copyAt(announcement, 3))])
  expect(of(world, 'intake:better')).toMatchObject([{ depth: 4 }])
  expect(world.decided).toHaveLength(1)
})

it('a better depth: whose emission was seen and ignored before is offered', async ({ open: world, announcement }) => {
  await world.settle(copyAt(announcement, 2))
  // not what we emit at that moment: ignored, and from then on gossip refuses to publish it
  expect(await world.settle(copyAt(announcement, 3))).toBe('ignore')
  await world.settle(copyAt(announcement, 4))
  expect(world.out.map(({ how }) => how)).toEqual(['published', 'offered', 'offered'])
  expect(world.offers).toEqual([
    [announcement.signed.id, 2],
    [announcement.signed.id, 3],
  ])
})

it('a restart: keeps the dedupe: a replay is ignored and nothing is emitted twice', async ({
  open: first,
  announcement,
}) => {
  await first.settle(copyAt(announcement, 3))
  await first.intake[Symbol.asyncDispose]()
  const second = first.restart({ decide: () => true })
  for (const depth of [3, 2, 1]) expect(await second.settle(copyAt(announcement, depth))).toBe('ignore')
  expect(second.out).toEqual([])
  expect(second.decided).toEqual([])
  expect(second.listed()).toEqual([[announcement.signed.id, 2]])
})

it('a restart: decides again what was killed before its verdict', async ({ world: first, announcement }) => {
  await first.receive(copyAt(announcement, 3))
  const second = first.restart()
  expect(second.asked).toMatchObject([{ id: idOf(announcement), depth: 3 }])
  const answer = second.receive(copyAt(announcement, 2))
  second.asked[0]?.answer(true)
  expect(await answer).toBe('accept')
})

it('a restart before an emission is sent: never a second one, and sync makes it good', async ({
  world: first,
  announcement,
}) => {
  await first.receive(copyAt(announcement, 3))
  first.journal.announcements.setRedirect(idOf(announcement), true)
  first.journal.announcements.setEmitted(idOf(announcement), 2)
  const second = first.restart()
  await second.intake.idle()
  expect(second.out).toEqual([])
  expect(second.listed()).toEqual([[announcement.signed.id, 2]])
  expect(second.intake.syncSource.get(announcement.signed.id)).toEqual(copyAt(announcement, 2))
})

it('a restart: emits what was decided but never sent', async ({ announcement }) => {
  const first = createWorld({ decide: () => true, alone: () => true })
  await first.settle(copyAt(announcement, 3))
  expect(first.out).toEqual([])
  const second = first.restart()
  await second.intake.idle()
  expect(second.out).toEqual([sent('published', announcement, 2)])
})
