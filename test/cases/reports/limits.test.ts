import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InputError, isDiskFull } from '../../../src/base/errors.ts'
import { describeError, exitCodeOf } from '../../../src/cli/errors.ts'
import { DiskFullError } from '../../../src/code/errors.ts'
import type { Supervisor } from '../../../src/execution/index.ts'
import { type Bench, createBench, GRANT, START_MS, serviceOf } from '../../fixtures/execution/supervisor-harness.ts'
import { createAdmissionWorld, policyOf, waits } from '../../fixtures/node/admission-harness.ts'

const DAY_MS = 86_400_000
const EXPIRES_IN_2_DAYS = { expires: (START_MS + 2 * DAY_MS) / 1000 }

let bench: Bench
let supervisor: Supervisor
beforeEach(async () => {
  bench = await createBench()
  supervisor = bench.start()
})
afterEach(() => bench[Symbol.asyncDispose]())

const record = (service: string) => bench.journal.ofService(service)

it('R6: a run that had too long names whose time limit was over, and how long it was', async () => {
  supervisor.run(serviceOf('own', { kind: 'task', timeout: 10 }), { ...GRANT, timeoutSeconds: 10 })
  supervisor.run(serviceOf('theirs', { kind: 'task', timeout: 3600 }), { ...GRANT, timeoutSeconds: 120 })
  for (const service of ['own', 'theirs']) await bench.reaches(service, 'running')
  await bench.clock.advance(130_000)
  for (const service of ['own', 'theirs']) await bench.reaches(service, 'failed')
  expect(record('own')?.detail).toBe('its time limit of 10s, set by the service (run.timeout), was over')
  const theirs = 'its time limit of 2m, set by this node (LIMITS.SERVICE.TIMEOUT or its runner), was over'
  expect(record('theirs')?.detail).toBe(theirs)
})

describe('S13: a wall clock that is set while a service runs', () => {
  async function run(timeoutSeconds?: number): Promise<void> {
    supervisor.run(serviceOf('a', {}, EXPIRES_IN_2_DAYS), { ...GRANT, timeoutSeconds })
    await bench.reaches('a', 'running')
  }
  const ended = () => bench.until(() => supervisor.running().length === 0)

  it.each([DAY_MS, -DAY_MS])('by %i ms changes no time limit', async (jump) => {
    await run(10)
    await bench.clock.advance(4000)
    bench.clock.jump(jump)
    await bench.clock.advance(5900)
    expect(bench.state('a')).toBe('running')
    await bench.clock.advance(200)
    await ended()
    expect(bench.engine.stops).toMatchObject([{ reason: 'timeout' }])
  })

  it('past its expiry ends it within 5 s', async () => {
    await run()
    await bench.clock.advance(60_000)
    bench.clock.jump(2 * DAY_MS)
    await bench.clock.advance(5000)
    await ended()
    expect(record('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('back lets it run until the clock says that it is over', async () => {
    await run()
    bench.clock.jump(-DAY_MS)
    await bench.clock.advance(2 * DAY_MS)
    expect(bench.state('a')).toBe('running')
    bench.clock.jump(DAY_MS)
    await bench.clock.advance(5000)
    await ended()
    expect(record('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('back does not make its last run an old one', async () => {
    await run()
    await supervisor.stop('a', { why: 'once' })
    bench.clock.jump(-DAY_MS)
    await run()
    await supervisor.stop('a', { why: 'again' })
    expect(record('a')).toMatchObject({ state: 'stopped', detail: 'again' })
    expect(supervisor.running()).toEqual([])
  })
})

it('S13: a wall clock that is set is no sleep of what is parked: DORMITORY.TTL_SECONDS counts what has passed, `expires` what the clock says', async () => {
  await using world = await createAdmissionWorld({ policy: policyOf(1, { DORMITORY: { TTL_SECONDS: 3600 } }) })
  world.runner = () => waits([{ on: 'policy' }])
  const node = await world.start()
  const now = Math.floor(world.clock.now() / 1000)
  const long = await node.receive({ issued: now - 10, expires: now + 20 * 86_400 })
  const short = await node.receive({ issued: now - 10, expires: now + 86_400 })
  world.clock.jump(DAY_MS + 1000)
  await world.clock.advance(5000)
  expect([long, short].map(node.state)).toEqual(['parked', 'expired'])
  world.clock.jump(-DAY_MS)
  await world.clock.advance(3500 * 1000)
  expect(node.state(long)).toBe('parked')
  await world.clock.advance(100 * 1000)
  expect(node.state(long)).toBe('redirected')
})

describe('R12: a full disk', () => {
  it('is the sentence also where closing what was open failed because of it', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    expect(isDiskFull(new SuppressedError(new Error('the journal is closed'), full))).toBe(true)
    const first = new InputError('the disk is full')
    const both = new SuppressedError(new Error('later'), new SuppressedError(new Error('between'), first))
    expect([describeError(both), exitCodeOf(both)]).toEqual(['the disk is full', 2])
  })

  it.each([
    {
      what: 'code on it, where the process that unpacks meets it',
      state: 'fetching',
      waitsFor(isFull: () => boolean) {
        bench.code.onObtain = async () => {
          if (isFull()) throw new DiskFullError('the disk of /x is full; free some space there')
        }
      },
    },
    {
      what: 'what the journal has to write',
      state: 'decided',
      waitsFor(isFull: () => boolean) {
        const { update } = bench.journal
        bench.journal.update = (runId, change) => {
          if (isFull()) throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
          update(runId, change)
        }
      },
    },
  ])('lets a run wait with $what', async ({ state, waitsFor }) => {
    let isFull = true
    waitsFor(() => isFull)
    supervisor.run(serviceOf('a'), GRANT)
    await bench.clock.advance(120_000)
    expect(bench.state('a')).toBe(state)
    isFull = false
    await bench.clock.advance(6_000)
    await bench.reaches('a', 'running')
  })
})
