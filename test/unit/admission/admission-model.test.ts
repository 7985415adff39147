import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../../src/admission/views.ts'
import type { Policy } from '../../../src/config/index.ts'
import type { AdmissionNode, AdmissionWorld } from '../../fixtures/node/admission-harness.ts'
import { createAdmissionWorld, policyOf } from '../../fixtures/node/admission-harness.ts'
import { reconsidered } from './fixtures.ts'

type Step =
  | { is: 'receive'; rank: number; task: boolean }
  | { is: 'finish' | 'operator-stop' | 'author-stop'; which: number }
  | { is: 'policy'; runs: number; evict: boolean }
  | { is: 'wake' | 'restart' | 'pause' }

const is = <Name extends Step['is']>(...names: Name[]) => fc.constantFrom(...names)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: is('receive'), rank: fc.nat(3), task: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ is: is('finish', 'operator-stop', 'author-stop'), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ is: is('policy'), runs: fc.integer({ min: 1, max: 3 }), evict: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ is: is('wake', 'restart', 'pause') }) },
)

const short = (changes: readonly Change[]) => changes.map(({ id, from, to }) => `${id} ${from} ${to}`).sort()

const CHAINS = ['btc', 'algo', 'sol']

function policyWith(runs: number, evict: boolean, MAX: number): Policy {
  const LIMITS = { ...policyOf(runs).config.LIMITS, EVICT: evict }
  return policyOf(runs, { PREFER_HOSTCHAINS: { btc: {}, algo: {}, sol: {} }, LIMITS, DORMITORY: { MAX } })
}

/** Holds at every moment: nothing runs twice, and what runs is within LIMITS.TOTAL. */
function checkEngine(world: AdmissionWorld, most: number): void {
  const running = [...world.engine.runs.values()].filter(({ state }) => state === 'running')
  expect(new Set(running.map(({ plan }) => plan.service)).size).toBe(running.length)
  expect(running.length).toBeLessThanOrEqual(most)
}

/** Holds when everything has come to rest. */
function checkRest(world: AdmissionWorld, node: AdmissionNode, ids: readonly string[]): void {
  const { RUNS } = world.policy.config.LIMITS.TOTAL
  expect(node.supervisor.granted().length).toBeLessThanOrEqual(RUNS)
  checkEngine(world, RUNS)
  for (const id of ids) {
    const entry = node.services.find(id)
    const sleeps = node.admission.dormitory.get(id) !== undefined
    const over = entry.record.state !== 'live' || world.journal.stops.has(id)
    const parks = (entry.verdict?.verdict?.park?.length ?? 0) > 0
    expect([id, sleeps]).toEqual([id, parks && !over])
    const state = node.state(id)
    if (sleeps) expect(state).toBe('parked')
    if (entry.verdict?.verdict?.run !== false && !over)
      expect(['running', 'done', 'failed', 'accepted', 'stopped']).toContain(state)
  }
  // what waits for capacity waits because there is none
  if (node.supervisor.free().runs > 0) expect(node.admission.dormitory.all()).toEqual([])
}

describe('whatever comes in whatever order', () => {
  it('never more runs than LIMITS.TOTAL allows, nothing twice, and nothing that waits is forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 4, maxLength: 24 }),
        fc.constantFrom(4, 50),
        async (steps, slots) => {
          await using world = await createAdmissionWorld({ policy: policyWith(2, false, slots) })
          let node = await world.start()
          let most = 2
          world.engine.onStart = () => checkEngine(world, most)
          const ids: string[] = []
          for (const one of steps) {
            if (one.is === 'receive') {
              const run = { command: ['node', 'a.js'], kind: one.task ? ('task' as const) : ('service' as const) }
              ids.push(await node.receive({ hostchains: CHAINS.slice(0, one.rank), run }))
            } else if (one.is === 'policy') {
              // runs of before end while those of now are there
              most = Math.max(most, one.runs)
              const before = world.policy
              await node.settle(600)
              const candidate = policyWith(one.runs, one.evict, slots)
              world.policy = before
              const expected = await node.preview(candidate)
              world.policy = candidate
              const later = world.happened.length
              const all = node.admission.reevaluateAll()
              await node.settle(600)
              // what was shown before is what happens; which slots become free while it happens is not known before
              if (slots > steps.length) {
                expect(short([...(await all).changes, ...reconsidered(world, later)])).toEqual(short(expected))
              }
              most = one.runs
            } else if (one.is === 'wake') {
              node.admission.dormitory.wake({ on: 'capacity' })
            } else if (one.is === 'restart') {
              await node.end()
              node = await world.start()
            } else if (one.is === 'pause') {
              await node.settle(400)
            } else if ('which' in one) {
              const id = ids[one.which % Math.max(1, ids.length)]
              if (id === undefined) continue
              if (one.is === 'finish') world.finish(id)
              else if (one.is === 'author-stop') {
                world.journal.announcements.end(id, 'stopped', 'x')
                node.events.emit('intake:stopped', { author: '', name: '', seq: 0, ids: [id] })
                void node.supervisor.stop(id, { why: 'its author stopped it' })
              } else {
                world.journal.stops.add(id, world.clock.now())
                node.admission.removeParked(id)
                void node.supervisor.stop(id, { why: 'the operator of this node stopped it' })
              }
            }
            if (steps.length % 3 === 0) await node.settle(1)
          }
          await node.settle(2000)
          checkRest(world, node, ids)
          // and over a restart
          await node.end()
          node = await world.start()
          await node.settle(2000)
          checkRest(world, node, ids)
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 25_000 },
    )
  })

  it('one policy lets two evict others: what was shown before happens', async () => {
    await using world = await createAdmissionWorld({ policy: policyWith(2, false, 50) })
    const node = await world.start()
    const ids: string[] = []
    for (const rank of [0, 0, 1, 1]) ids.push(await node.receive({ hostchains: CHAINS.slice(0, rank) }))
    await node.settle(600)
    const candidate = policyWith(2, true, 50)
    const expected = await node.preview(candidate)
    world.policy = candidate
    const all = node.admission.reevaluateAll()
    await node.settle(600)
    expect(short((await all).changes)).toEqual(short(expected))
    expect(ids.map((id) => node.state(id))).toEqual(['parked', 'parked', 'running', 'running'])
  })
})
