import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Verdict } from '../../../src/base/verdict.ts'
import { type Bench, createBench, GRANT, START_MS, serviceOf } from '../../fixtures/execution/supervisor-harness.ts'
import { createAdmissionWorld, policyOf } from '../../fixtures/node/admission-harness.ts'

const DAY_MS = 86_400_000
const EXPIRES_IN_2_DAYS = { expires: (START_MS + 2 * DAY_MS) / 1000 }

describe('a wall clock that is set while a service runs', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  async function running(timeoutSeconds?: number) {
    const supervisor = bench.start()
    supervisor.run(serviceOf('a', {}, EXPIRES_IN_2_DAYS), { ...GRANT, timeoutSeconds })
    await bench.until(() => bench.state('a') === 'running')
    return supervisor
  }

  it.each([DAY_MS, -DAY_MS])('by %i ms changes no time limit', async (jump) => {
    const supervisor = await running(10)
    await bench.clock.advance(4000)
    bench.clock.jump(jump)
    await bench.clock.advance(5900)
    expect(bench.state('a')).toBe('running')
    await bench.clock.advance(200)
    await bench.until(() => supervisor.running().length === 0)
    expect(bench.engine.stops).toMatchObject([{ reason: 'timeout' }])
  })

  it('past its expiry ends it within 5 s', async () => {
    const supervisor = await running()
    await bench.clock.advance(60_000)
    bench.clock.jump(2 * DAY_MS)
    await bench.clock.advance(5000)
    await bench.until(() => supervisor.running().length === 0)
    expect(bench.journal.ofService('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('back lets it run until the clock says that it is over', async () => {
    const supervisor = await running()
    bench.clock.jump(-DAY_MS)
    await bench.clock.advance(2 * DAY_MS)
    expect(bench.state('a')).toBe('running')
    bench.clock.jump(DAY_MS)
    await bench.clock.advance(5000)
    await bench.until(() => supervisor.running().length === 0)
    expect(bench.journal.ofService('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('back does not make its last run an old one', async () => {
    const supervisor = await running()
    await supervisor.stop('a', { why: 'once' })
    bench.clock.jump(-DAY_MS)
    supervisor.run(serviceOf('a', {}, EXPIRES_IN_2_DAYS), GRANT)
    await bench.until(() => bench.state('a') === 'running')
    await supervisor.stop('a', { why: 'again' })
    expect(bench.journal.ofService('a')).toMatchObject({ state: 'stopped', detail: 'again' })
    expect(supervisor.running()).toEqual([])
  })
})

describe('a wall clock that is set while a service is parked', () => {
  it('forward or back is no sleep: DORMITORY.TTL_SECONDS counts what has passed, `expires` what the clock says', async () => {
    await using world = await createAdmissionWorld({ policy: policyOf(1, { DORMITORY: { TTL_SECONDS: 3600 } }) })
    world.runner = (): Verdict => ({
      run: false,
      redirect: true,
      park: [{ on: 'policy' }],
      reasons: [{ rule: 'mine', outcome: 'defer', message: 'not yet' }],
    })
    const life = await world.start()
    const now = Math.floor(world.clock.now() / 1000)
    const long = await life.hear({ issued: now - 10, expires: now + 20 * 86_400 })
    const short = await life.hear({ issued: now - 10, expires: now + 86_400 })
    world.clock.jump(DAY_MS + 1000)
    await world.clock.advance(5000)
    expect([long, short].map(life.state)).toEqual(['parked', 'expired'])
    world.clock.jump(-DAY_MS)
    await world.clock.advance(3500 * 1000)
    expect(life.state(long)).toBe('parked')
    await world.clock.advance(100 * 1000)
    expect(life.state(long)).toBe('redirected')
  })
})
