import { expect } from 'vitest'
import { createKeyCache } from '../../../protocols/signature.ts'
import { verifyStatement } from '../../../protocols/statement.ts'
import { nowSeconds } from '../../../src/base/clock.ts'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { MAX_FAILURES, MAX_WAITING } from '../../../src/hub/constants.ts'
import { BROKEN, CLEAN, codeOf, FOUND, it, SCANNER, UNDECIDED } from './fake-hub.ts'

const DAY = 86_400_000

it('a hub: examines what is known and what arrives, each code once, and signs', async ({ hubOf }) => {
  const world = hubOf({ report: 'https://hub.example/{code}' })
  const old = world.add('old')
  await world.boot()
  const fresh = await world.receive(world.add('fresh'))
  await world.receive(world.add('same-code', fresh.code))
  await world.hub.idle()
  await world.receive(old)
  await world.hub.idle()
  expect(world.scans).toEqual(['old', 'fresh'])
  const [first] = world.published
  expect(first?.body).toMatchObject({ verdict: 'safe', report: `https://hub.example/${old.code}` })
  for (const statement of world.published) verifyStatement(statement, 'test', createKeyCache())
  expect(world.held.now).toBe(0)
  expect(world.hub.counts()).toEqual({ safe: 2, unsafe: 0, failed: 0, skipped: 0, waiting: 0 })
})

it('a hub says unsafe with the worst severity when one of its scanners finds something', async ({ hubOf }) => {
  const scanners = ['a', 'b', 'c'].map((name) => ({ ...SCANNER, name, command: [name] }))
  const world = hubOf({ scanners })
  const found = (lines: string) => ({ ...FOUND, lines: [lines] })
  const ends = { a: found('{"severity":"low","findings":["x"]}'), b: found('{"severity":"critical","findings":["y"]}') }
  world.answers.scan = async ({ command: [name] }) => (name === 'a' || name === 'b' ? ends[name] : BROKEN)
  await world.boot('bad')
  expect(world.published[0]?.body).toMatchObject({ verdict: 'unsafe', severity: 'critical' })
  expect(world.reported.at(-1)).toMatchObject({ event: 'hub:examined', findings: ['a: x', 'b: y'] })
})

it('a hub gives no word where a scanner fails, tries again, and then leaves it for a day', async ({ world }) => {
  world.answers.scan = async () => BROKEN
  world.add('odd')
  world.hub.boot()
  await world.clock.advance(DAY - 1000)
  expect(world.scans).toHaveLength(MAX_FAILURES)
  expect(world.published).toEqual([])
  const failures = Array.from({ length: MAX_FAILURES }, (_, index) => index + 1)
  expect(world.reported.filter(({ event }) => event === 'hub:failed')).toMatchObject(
    failures.map((count) => ({ failures: count, again: count < MAX_FAILURES })),
  )
  world.answers.scan = async () => CLEAN
  await world.clock.advance(DAY)
  expect(world.say()).toEqual(['safe'])
})

it('a hub: recovers when a later attempt works', async ({ world }) => {
  let attempts = 0
  world.answers.scan = async () => {
    if (++attempts < 3) throw new UnavailableError('the sandbox could not be started')
    return FOUND
  }
  world.add('late')
  world.hub.boot()
  await world.clock.advance(DAY / 4)
  expect(attempts).toBe(3)
  expect(world.say()).toEqual(['unsafe'])
})

it('a hub: does not hold against a code what is wrong with one description of it', async ({ world }) => {
  world.answers.scan = async ({ id }) => (id.startsWith('wrong') ? UNDECIDED : CLEAN)
  const code = codeOf('shared')
  world.add('wrong', code)
  await world.boot()
  expect(world.published).toEqual([])
  await world.receive(world.add('wrong-too', code))
  await world.receive(world.add('right', code))
  await world.hub.idle()
  expect(world.say()).toEqual(['safe'])
  expect(world.names('hub:passed-over')).toEqual(['wrong', 'wrong-too'])
  await world.clock.advance(DAY)
  expect(world.scans).toEqual(['wrong', 'wrong-too', 'right'])
})

it('a hub: tries the next service of a code when the first cannot tell', async ({ hubOf }) => {
  const world = hubOf({ concurrency: 1 })
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  world.answers.scan = async ({ id }) => {
    begun.resolve()
    await go.promise
    return id === 'wrong' ? UNDECIDED : CLEAN
  }
  const code = codeOf('shared')
  world.hub.boot()
  await world.receive(world.add('wrong', code))
  await begun.promise
  await world.receive(world.add('right', code))
  go.resolve()
  await world.hub.idle()
  expect(world.scans).toEqual(['wrong', 'right'])
  expect(world.say()).toEqual(['safe'])
})

it('a hub: renews its word before it ends, with a higher seq', async ({ hubOf }) => {
  const world = hubOf({ validSeconds: 10 * 86_400 })
  world.add('lasting')
  world.hub.boot()
  await world.clock.advance(8.9 * DAY)
  expect(world.published).toHaveLength(1)
  await world.clock.advance(DAY / 5)
  expect(world.say()).toEqual(['safe', 'safe'])
  const [first, second] = world.published
  expect(second?.body.seq).toBeGreaterThan(first?.body.seq as number)
  expect(second?.body.expires).toBeGreaterThan(first?.body.expires as number)
})

it('a hub: leaves no gap between its words, however short they stand', async ({ hubOf }) => {
  const world = hubOf({ validSeconds: 3600 })
  world.hub.boot()
  // between two looks, just after one
  await world.clock.advance(9 * 60_000)
  const { code } = await world.receive(world.add('lasting'))
  for (let minute = 0; minute < 24 * 60; minute++) {
    await world.clock.advance(60_000)
    expect(world.words.get(code)?.expires).toBeGreaterThan(world.clock.now() / 1000)
  }
  expect(world.published.length).toBeLessThanOrEqual(24 * 2)
})

it('a hub: never takes back by itself that it called code unsafe', async ({ world }) => {
  const { code } = world.add('was-bad')
  world.words.set(code, { verdict: 'unsafe', seq: 7, expires: nowSeconds(world.clock) + 60 })
  world.hub.boot()
  await world.clock.advance(DAY / 2)
  expect(world.published).toEqual([])
  expect(world.scans).toHaveLength(1)
  expect(world.reported.at(-1)).toMatchObject({ event: 'hub:passed-over', name: 'was-bad' })
  world.answers.scan = async () => FOUND
  await world.clock.advance(DAY)
  expect(world.say()).toEqual(['unsafe'])
})

it('a hub: asks the mesh for its own word before it gives one on code that it does not know', async ({ world }) => {
  const now = nowSeconds(world.clock)
  const [bad, good] = [world.add('was-bad'), world.add('was-good')]
  world.answers.recall = async (code) => {
    if (code === bad.code) world.words.set(code, { verdict: 'unsafe', seq: 7, expires: now - 1 })
    if (code === good.code) world.words.set(code, { verdict: 'safe', seq: 7, expires: now + 20 * 86_400 })
  }
  await world.boot()
  expect(world.published).toEqual([])
  expect(world.scans).toEqual(['was-bad'])
  expect(world.names('hub:passed-over')).toEqual(['was-good', 'was-bad'])
})

it('a hub: passes over images, code that is too large, and services that are over', async ({ world }) => {
  world.answers.obtain = async ({ name }) => {
    if (name === 'large') throw new InputError('the code has 2 GiB; at most 512 MiB are allowed')
  }
  world.add('image')
  world.images.add('image')
  world.add('large')
  world.add('over', codeOf('over'), world.clock.now() / 1000 - 1)
  world.hub.boot()
  await world.clock.advance(DAY / 2)
  expect(world.scans).toEqual([])
  expect(world.reported.filter(({ event }) => event === 'hub:passed-over')).toMatchObject([
    { name: 'image' },
    { name: 'large', why: 'the code has 2 GiB; at most 512 MiB are allowed' },
  ])
})

it('a hub: works within bounds, and comes to what found no free slot', async ({ hubOf }) => {
  const world = hubOf({ concurrency: 2 })
  const names = Array.from({ length: MAX_WAITING + 50 }, (_, index) => `s${index}`)
  for (const name of names) world.add(name)
  world.hub.boot()
  expect(world.hub.counts().waiting).toBe(MAX_WAITING + 2)
  await world.hub.idle()
  expect(world.held.most).toBeLessThanOrEqual(2)
  await world.clock.advance(DAY / 24)
  await world.hub.idle()
  expect(new Set(world.words.keys())).toEqual(new Set(names.map(codeOf)))
})

it('a hub: stops in the middle of a scan without a word', async ({ world }) => {
  world.answers.scan = (_task, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  world.add('slow')
  world.hub.boot()
  await world.clock.advance(10)
  expect(world.scans).toEqual(['slow'])
  await world.hub[Symbol.asyncDispose]()
  expect(world.published).toEqual([])
  expect(world.held.now).toBe(0)
  expect(world.reported.map(({ event }) => event)).toEqual(['hub:examining'])
})
