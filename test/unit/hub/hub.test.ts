import { describe, expect, it } from 'vitest'
import { createKeyCache } from '../../../protocols/signature.ts'
import { verifyStatement } from '../../../protocols/statement.ts'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { MAX_FAILURES, MAX_WAITING } from '../../../src/hub/constants.ts'
import { BROKEN, CLEAN, codeOf, FOUND, hubOf, SCANNER, UNDECIDED } from './fake-hub.ts'

const DAY = 86_400_000

describe('a hub', () => {
  it('examines what is known and what is heard, each code once, and signs', async () => {
    const world = hubOf({ report: 'https://hub.example/{code}' })
    await using hub = world.hub
    const old = world.add('old')
    hub.boot()
    await hub.idle()
    const fresh = world.add('fresh')
    await world.hear(fresh)
    await world.hear(world.add('same-code', fresh.code))
    await hub.idle()
    await world.hear(old)
    await hub.idle()
    expect(world.scans).toEqual(['old', 'fresh'])
    const [first] = world.published
    expect(first?.body).toMatchObject({ verdict: 'safe', report: `https://hub.example/${old.code}` })
    for (const statement of world.published) verifyStatement(statement, 'test', createKeyCache())
    expect(world.held.now).toBe(0)
    expect(hub.counts()).toEqual({ safe: 2, unsafe: 0, failed: 0, skipped: 0, waiting: 0 })
  })

  it('says unsafe with the worst severity when one of its scanners finds something, whatever the others do', async () => {
    const scanners = ['a', 'b', 'c'].map((name) => ({ ...SCANNER, name, command: [name] }))
    const world = hubOf({ scanners })
    await using hub = world.hub
    world.answers.scan = async ({ command }) =>
      command[0] === 'a'
        ? { ...FOUND, lines: ['{"severity":"low","findings":["x"]}'] }
        : command[0] === 'b'
          ? { ...FOUND, lines: ['{"severity":"critical","findings":["y"]}'] }
          : BROKEN
    world.add('bad')
    hub.boot()
    await hub.idle()
    expect(world.published[0]?.body).toMatchObject({ verdict: 'unsafe', severity: 'critical' })
    expect(world.told.at(-1)).toMatchObject({ event: 'hub:examined', findings: ['a: x', 'b: y'] })
  })

  it('gives no word where a scanner fails, tries again a bounded number of times, and then leaves it for a day', async () => {
    const world = hubOf()
    await using hub = world.hub
    world.answers.scan = async () => BROKEN
    world.add('odd')
    hub.boot()
    await world.clock.advance(DAY - 1000)
    expect(world.scans).toHaveLength(MAX_FAILURES)
    expect(world.published).toEqual([])
    expect(world.told.filter(({ event }) => event === 'hub:failed')).toMatchObject(
      Array.from({ length: MAX_FAILURES }, (_, index) => ({ failures: index + 1, again: index + 1 < MAX_FAILURES })),
    )
    world.answers.scan = async () => CLEAN
    await world.clock.advance(DAY)
    expect(world.say()).toEqual(['safe'])
  })

  it('recovers when a later attempt works', async () => {
    const world = hubOf()
    await using hub = world.hub
    let attempts = 0
    world.answers.scan = async () => {
      if (++attempts < 3) throw new UnavailableError('the sandbox could not be started')
      return FOUND
    }
    world.add('late')
    hub.boot()
    await world.clock.advance(DAY / 4)
    expect(attempts).toBe(3)
    expect(world.say()).toEqual(['unsafe'])
  })

  it('does not hold against a code what is wrong with one description of it', async () => {
    const world = hubOf()
    await using hub = world.hub
    world.answers.scan = async ({ description }) =>
      (description as { id: string }).id.startsWith('wrong') ? UNDECIDED : CLEAN
    const code = codeOf('shared')
    world.add('wrong', code)
    hub.boot()
    await hub.idle()
    expect(world.published).toEqual([])
    await world.hear(world.add('wrong-too', code))
    await world.hear(world.add('right', code))
    await hub.idle()
    expect(world.say()).toEqual(['safe'])
    expect(world.names('hub:passed-over')).toEqual(['wrong', 'wrong-too'])
    await world.clock.advance(DAY)
    expect(world.scans).toEqual(['wrong', 'wrong-too', 'right'])
  })

  it('tries the next service of a code when the first cannot tell', async () => {
    const world = hubOf({ concurrency: 1 })
    await using hub = world.hub
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    world.answers.scan = async ({ description }) => {
      begun.resolve()
      await go.promise
      return (description as { id: string }).id === 'wrong' ? UNDECIDED : CLEAN
    }
    const code = codeOf('shared')
    hub.boot()
    await world.hear(world.add('wrong', code))
    await begun.promise
    await world.hear(world.add('right', code))
    go.resolve()
    await hub.idle()
    expect(world.scans).toEqual(['wrong', 'right'])
    expect(world.say()).toEqual(['safe'])
  })

  it('renews its word before it ends, with a higher seq', async () => {
    const world = hubOf({ validSeconds: 10 * 86_400 })
    await using hub = world.hub
    world.add('lasting')
    hub.boot()
    await world.clock.advance(8.9 * DAY)
    expect(world.published).toHaveLength(1)
    await world.clock.advance(DAY / 5)
    expect(world.say()).toEqual(['safe', 'safe'])
    const [first, second] = world.published
    expect(second?.body.seq).toBeGreaterThan(first?.body.seq as number)
    expect(second?.body.expires).toBeGreaterThan(first?.body.expires as number)
  })

  it('leaves no gap between its words, however short they stand', async () => {
    const world = hubOf({ validSeconds: 3600 })
    await using hub = world.hub
    hub.boot()
    // between two looks, just after one
    await world.clock.advance(9 * 60_000)
    const service = world.add('lasting')
    const { code } = service
    await world.hear(service)
    for (let minute = 0; minute < 24 * 60; minute++) {
      await world.clock.advance(60_000)
      expect(world.words.get(code)?.expires).toBeGreaterThan(world.clock.now() / 1000)
    }
    expect(world.published.length).toBeLessThanOrEqual(24 * 2)
  })

  it('never takes back by itself that it called code unsafe', async () => {
    const world = hubOf()
    await using hub = world.hub
    const { code } = world.add('was-bad')
    world.words.set(code, { verdict: 'unsafe', seq: 7, expires: Math.floor(world.clock.now() / 1000) + 60 })
    hub.boot()
    await world.clock.advance(DAY / 2)
    expect(world.published).toEqual([])
    expect(world.scans).toHaveLength(1)
    expect(world.told.at(-1)).toMatchObject({ event: 'hub:passed-over', name: 'was-bad' })
    world.answers.scan = async () => FOUND
    await world.clock.advance(DAY)
    expect(world.say()).toEqual(['unsafe'])
  })

  it('asks the mesh for its own word before it gives one on code that it does not know', async () => {
    const world = hubOf()
    await using hub = world.hub
    const now = Math.floor(world.clock.now() / 1000)
    const [bad, good] = [world.add('was-bad'), world.add('was-good')]
    world.answers.recall = async (code) => {
      if (code === bad.code) world.words.set(code, { verdict: 'unsafe', seq: 7, expires: now - 1 })
      if (code === good.code) world.words.set(code, { verdict: 'safe', seq: 7, expires: now + 20 * 86_400 })
    }
    hub.boot()
    await hub.idle()
    expect(world.published).toEqual([])
    expect(world.scans).toEqual(['was-bad'])
    expect(world.names('hub:passed-over')).toEqual(['was-good', 'was-bad'])
  })

  it('passes over images, code that is too large, and services that are over', async () => {
    const world = hubOf()
    await using hub = world.hub
    world.answers.obtain = async ({ name }) => {
      if (name === 'large') throw new InputError('the code has 2 GiB; at most 512 MiB are allowed')
    }
    world.add('image')
    world.images.add('image')
    world.add('large')
    world.add('over', codeOf('over'), world.clock.now() / 1000 - 1)
    hub.boot()
    await world.clock.advance(DAY / 2)
    expect(world.scans).toEqual([])
    expect(world.told.filter(({ event }) => event === 'hub:passed-over')).toMatchObject([
      { name: 'image' },
      { name: 'large', why: 'the code has 2 GiB; at most 512 MiB are allowed' },
    ])
  })

  it('works within bounds, and comes to what found no room', async () => {
    const world = hubOf({ concurrency: 2 })
    await using hub = world.hub
    const count = MAX_WAITING + 50
    for (let index = 0; index < count; index++) world.add(`s${index}`)
    hub.boot()
    expect(hub.counts().waiting).toBe(MAX_WAITING + 2)
    await hub.idle()
    expect(world.held.most).toBeLessThanOrEqual(2)
    await world.clock.advance(DAY / 24)
    await hub.idle()
    expect(new Set(world.published.map(({ body }) => ('code' in body ? body.code.toString() : ''))).size).toBe(count)
  })

  it('stops in the middle of a scan without a word', async () => {
    const world = hubOf()
    world.answers.scan = (_task, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    world.add('slow')
    world.hub.boot()
    await world.clock.advance(10)
    expect(world.scans).toEqual(['slow'])
    await world.hub[Symbol.asyncDispose]()
    expect(world.published).toEqual([])
    expect(world.held.now).toBe(0)
    expect(world.told.map(({ event }) => event)).toEqual(['hub:examining'])
  })
})
