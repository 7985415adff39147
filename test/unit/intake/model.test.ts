import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeAnnouncement } from '../../../protocols/announcement.ts'
import { emittedDepth } from '../../../protocols/redirection.ts'
import { type Clock, manualClock, type Timer } from '../../../src/base/clock.ts'
import { forAllAsync } from '../../fixtures/property.ts'
import { author, copyAt, createWorld, NOW_MS, nextTurn, service, type World } from './fixtures.ts'

const SEEN_MS = 120_000
const MAX_DEPTH = 5
const announcement = service(author(), { depth: MAX_DEPTH, expires: NOW_MS / 1000 + 30 * 24 * 3600 })

/** What can happen to one service at one node. */
type Step =
  | { is: 'gossip' | 'sync'; depth: number }
  | { is: 'verdict' | 'redecide'; redirect: boolean }
  | { is: 'failure' }
  | { is: 'wait'; ms: number }
  | { is: 'restart'; crash: boolean }
  | { is: 'policy'; limit: number }

const depth = fc.integer({ min: 0, max: MAX_DEPTH })
const limits = fc.integer({ min: 0, max: 6 })
const is = <Name extends Step['is']>(...names: Name[]) => fc.constantFrom(...names)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ is: is('gossip', 'gossip', 'gossip', 'sync'), depth }) },
  { weight: 4, arbitrary: fc.record({ is: is('verdict', 'verdict', 'verdict', 'redecide'), redirect: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: is('failure') }) },
  { weight: 2, arbitrary: fc.record({ is: is('wait'), ms: fc.constantFrom(100, 3000, SEEN_MS) }) },
  { weight: 1, arbitrary: fc.record({ is: is('restart'), crash: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: is('policy'), limit: limits }) },
)

/** Plays the steps on a real intake and journal, and keeps beside them the little that a model needs to know. */
async function play(steps: readonly Step[], startLimit: number, holdMs: number) {
  const clock = manualClock(NOW_MS)
  const model = { best: undefined as number | undefined, redirect: undefined as boolean | undefined, limit: startLimit }
  const emitted: { depth: number; allowed: number | undefined; redirect: boolean | undefined; how: string }[] = []
  const id = announcement.signed.id.toString()
  let seen = 0
  let life = mortal(clock)
  let world: World = start()

  function start(before?: World): World {
    life = mortal(clock)
    const journal = before && { journal: before.journal }
    const next = createWorld({ clock: life.clock, ...journal, redirectionDepth: () => model.limit, holdMs })
    next.intake.boot()
    seen = 0
    return next
  }

  async function settle(): Promise<void> {
    await nextTurn()
    for (const { hex, how } of world.out.slice(seen)) {
      const out = decodeAnnouncement(Buffer.from(hex, 'hex')).ticket.depth
      const allowed = model.best === undefined ? undefined : emittedDepth(model.best, model.limit)
      emitted.push({ depth: out, allowed, redirect: model.redirect, how })
    }
    seen = world.out.length
  }

  let seenFrom = clock.now()
  for (const one of [...steps, { is: 'verdict', redirect: true } satisfies Step]) {
    if (clock.now() - seenFrom >= SEEN_MS) {
      world.seen.clear()
      seenFrom = clock.now()
    }
    switch (one.is) {
      case 'gossip':
        if (world.receive(copyAt(announcement, one.depth)) !== undefined)
          model.best = Math.max(model.best ?? 0, one.depth)
        break
      case 'sync':
        await world.sync(announcement, one.depth)
        model.best = Math.max(model.best ?? 0, one.depth)
        break
      case 'verdict':
      case 'failure': {
        const [asked] = world.asked.splice(0)
        if (asked === undefined) break
        if (one.is === 'failure') asked.fail(new Error('the runner died'))
        else {
          model.redirect = one.redirect
          asked.answer(one.redirect)
        }
        break
      }
      case 'redecide':
        if (model.best === undefined || world.intake.stats().deciding > 0) break
        world.intake.setRedirect(id, one.redirect)
        model.redirect = one.redirect
        break
      case 'policy':
        model.limit = one.limit
        break
      case 'restart':
        if (!one.crash) await world.intake[Symbol.asyncDispose]()
        await settle()
        life.end()
        world = start(world)
        break
      case 'wait':
        await clock.advance(one.ms)
    }
    await settle()
  }
  return { world, clock, model, emitted, settle }
}

it('any order of copies, verdicts, restarts and policies: emits nothing that is not allowed, nothing twice, and in the end the best', async () => {
  await forAllAsync(
    300,
    [fc.array(step, { maxLength: 25 }), limits, fc.constantFrom(0, 2000)],
    async (steps, limit, hold) => {
      const { world, clock, model, emitted, settle } = await play(steps, limit, hold)
      // a verdict that failed is asked for again, and what is due is looked after
      for (let round = 0; round < 2; round++) {
        await clock.advance(61_000)
        for (const asked of world.asked.splice(0)) {
          model.redirect = true
          asked.answer(true)
        }
        await settle()
      }
      for (const { depth: out, allowed, redirect } of emitted) {
        expect(redirect).toBe(true)
        expect(out).toBe(allowed)
      }
      const depths = emitted.map((one) => one.depth)
      expect(depths).toEqual([...new Set(depths)].sort((a, b) => a - b))
      const due =
        model.redirect === true && model.best !== undefined ? emittedDepth(model.best, model.limit) : undefined
      expect(world.listed()).toEqual(due === undefined ? [] : [[announcement.signed.id, due]])
      // a policy that became wider lets more out only when the service is decided again
      if (steps.some(({ is }) => is === 'policy')) {
        world.intake.setRedirect(announcement.signed.id.toString(), model.redirect === true)
      }
      await settle()
      const highest = Math.max(-1, ...emitted.map((one) => one.depth))
      if (due !== undefined) expect(highest).toBeGreaterThanOrEqual(due)
      expect(world.intake.stats().copiesWaiting).toBe(0)
    },
  )
})

/** A clock whose timers end with the process that set them. */
function mortal(clock: Clock): { clock: Clock; end(): void } {
  const timers: Timer[] = []
  const keep = (timer: Timer) => {
    timers.push(timer)
    return timer
  }
  const after: Clock['after'] = (ms, callback) => keep(clock.after(ms, callback))
  const every: Clock['every'] = (ms, callback) => keep(clock.every(ms, callback))
  const end = () => {
    for (const timer of timers) timer.cancel()
  }
  return { clock: { ...clock, after, every }, end }
}
