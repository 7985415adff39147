import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { silentLog } from '../../../../src/base/log.ts'
import type { WakeCondition } from '../../../../src/base/verdict.ts'
import { createDormitory, type Dormitory } from '../../../../src/execution/index.ts'
import { openJournal } from '../../../../src/journal/index.ts'
import { forAllAsync } from '../../../fixtures/property.ts'

const CAPACITY: WakeCondition = { on: 'capacity' }
const DAY_MS = 86_400_000

/** A dormitory over a journal that outlives it. Those that are woken are noted; `answer` says what becomes of them. */
function createBench() {
  const clock = manualClock()
  const log = silentLog()
  const stack = new AsyncDisposableStack()
  const journal = stack.use(openJournal({ path: ':memory:', clock, log }))
  const bench = {
    clock,
    journal,
    limits: { max: 3, ttlMs: DAY_MS },
    woken: [] as string[],
    over: [] as string[],
    hasCapacity: true,
    answer: async (): Promise<void> => {},
    start(): Dormitory {
      const components: Parameters<typeof createDormitory>[0] = {
        ...{ clock, log, store: journal.parked },
        async decide(ids) {
          for (const id of ids) {
            bench.woken.push(id)
            await bench.answer()
          }
        },
        hasCapacity: () => bench.hasCapacity,
        onExpired({ id }, why) {
          bench.over.push(`${id}: ${why}`)
          dormitory.remove(id)
        },
      }
      const dormitory = stack.use(createDormitory(components, { limits: () => bench.limits }))
      return dormitory
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
  return bench
}

describe('dormitory', () => {
  let bench: ReturnType<typeof createBench>
  let dormitory: Dormitory
  beforeEach(() => {
    bench = createBench()
    dormitory = bench.start()
    return () => bench[Symbol.asyncDispose]()
  })

  const park = (id: string, change: Partial<Parameters<Dormitory['park']>[0]> = {}) => {
    const now = bench.clock.now()
    const usual = { id, on: [CAPACITY], rank: 0, arrived: now, expires: now + 30 * DAY_MS }
    return dormitory.park({ ...usual, ...change }, dormitory.eventCounter())
  }
  const parkAll = (ranks: Record<string, number>, change = {}) => {
    for (const [id, rank] of Object.entries(ranks)) park(id, { rank, ...change })
  }
  const wake = (event: WakeCondition) => {
    dormitory.wake(event)
    return dormitory.idle()
  }

  it.each<[WakeCondition, WakeCondition, boolean]>([
    [CAPACITY, CAPACITY, true],
    [{ on: 'policy' }, CAPACITY, false],
    [{ on: 'policy' }, { on: 'policy' }, true],
    [{ on: 'replica' }, { on: 'replica' }, true],
    [{ on: 'quorum', code: 'a' }, { on: 'quorum', code: 'a' }, true],
    [{ on: 'quorum', code: 'a' }, { on: 'quorum', code: 'b' }, false],
    [{ on: 'freeze', chain: 'btc' }, { on: 'freeze', chain: 'btc' }, true],
    [{ on: 'freeze', chain: 'btc' }, { on: 'freeze', chain: 'algo' }, false],
    [{ on: 'delegation', author: 'a' }, { on: 'delegation', author: 'a' }, true],
    [{ on: 'delegation', author: 'a' }, { on: 'delegation', author: 'b' }, false],
    [{ on: 'quorum', code: 'a' }, { on: 'delegation', author: 'a' }, false],
  ])('a service that waits for %o, after %o: %s', async (on, happens, wakes) => {
    park('a', { on: [on] })
    await wake(happens)
    expect(bench.woken).toEqual(wakes ? ['a'] : [])
  })

  it('wakes the best first, and of equals the one that arrived first', async () => {
    bench.limits.max = 100
    parkAll({ late: 1, poor: 0 }, { arrived: 30 })
    parkAll({ early: 1, rich: 7 }, { arrived: 20 })
    await wake(CAPACITY)
    expect(bench.woken).toEqual(['rich', 'early', 'late', 'poor'])
  })

  it('wakes what an event concerns that came while it was being decided', async () => {
    const asOf = dormitory.eventCounter()
    dormitory.wake({ on: 'quorum', code: 'a' })
    const on = [{ on: 'quorum', code: 'a' }] as const
    const service = { id: 'a', on, rank: 0, arrived: 0, expires: Number.MAX_SAFE_INTEGER }
    dormitory.park(service, asOf)
    await dormitory.idle()
    expect(bench.woken).toEqual(['a'])
    dormitory.park(service, dormitory.eventCounter())
    await dormitory.idle()
    expect(bench.woken).toEqual(['a'])
  })

  it('asks about nothing that waits for capacity alone while there is none', async () => {
    park('capacity')
    park('both', { on: [CAPACITY, { on: 'policy' }] })
    bench.hasCapacity = false
    dormitory.wake(CAPACITY)
    dormitory.wake({ on: 'policy' })
    await dormitory.idle()
    expect(bench.woken).toEqual(['both'])
    bench.hasCapacity = true
    await wake(CAPACITY)
    expect(bench.woken.sort()).toEqual(['both', 'both', 'capacity'])
  })

  it('is asked again when something else happens while it is asked', async () => {
    park('a', { on: [CAPACITY, { on: 'policy' }] })
    bench.answer = async () => {
      if (bench.woken.length === 1) dormitory.wake({ on: 'policy' })
    }
    await wake(CAPACITY)
    expect(bench.woken).toEqual(['a', 'a'])
  })

  it('sleeps on when deciding fails, and wakes the next time', async () => {
    park('a')
    bench.answer = () => Promise.reject(new Error('the runner is gone'))
    await wake(CAPACITY)
    expect(dormitory.size).toBe(1)
    await wake(CAPACITY)
    expect(bench.woken).toEqual(['a', 'a'])
  })

  describe('MAX', () => {
    it('lets the lowest make way for a better one, and turns away one that is not better', () => {
      parkAll({ a: 3, b: 1, c: 2 }, { arrived: 1 })
      const why = 'all 3 places of DORMITORY.MAX are taken, and none of them ranks lower'
      expect(park('worse', { rank: 0 })).toEqual({ parked: false, why })
      expect(park('equal', { rank: 1, arrived: 2 })).toMatchObject({ parked: false })
      expect(park('better', { rank: 2 })).toMatchObject({ parked: true, replaced: { id: 'b' } })
      expect(dormitory.all().map(({ id }) => id)).toEqual(['a', 'c', 'better'])
      expect(park('a', { rank: 0 })).toMatchObject({ parked: true })
    })

    it('0 parks nothing, and a lower MAX after a reload lets the lowest go', async () => {
      parkAll({ a: 3, b: 1, c: 2 })
      bench.limits.max = 2
      await bench.clock.advance(10_000)
      expect(bench.over).toEqual(['b: DORMITORY.MAX is 2, and others rank higher'])
      bench.limits.max = 0
      await bench.clock.advance(10_000)
      expect(dormitory.size).toBe(0)
      expect(park('d')).toEqual({ parked: false, why: 'DORMITORY.MAX is 0: nothing is parked here' })
    })
  })

  describe('TTL', () => {
    it('counts from the first parking, over wake-ups and restarts', async () => {
      park('a')
      await bench.clock.advance(DAY_MS / 2)
      park('a')
      await dormitory[Symbol.asyncDispose]()
      dormitory = bench.start()
      dormitory.boot()
      expect(dormitory.all()).toMatchObject([{ id: 'a', on: [CAPACITY] }])
      await bench.clock.advance(DAY_MS / 2 + 10_000)
      expect(bench.over).toEqual(['a: it has slept as long as DORMITORY.TTL_SECONDS allows'])
      expect(bench.journal.parked.all()).toEqual([])
    })

    it('ends with the service', async () => {
      park('a', { expires: bench.clock.now() + 60_000 })
      await bench.clock.advance(70_000)
      expect(bench.over).toEqual(['a: it expired'])
    })

    it('over while it was asked about: it is not parked again', async () => {
      park('a', { expires: bench.clock.now() + 1000 })
      await bench.clock.advance(2000)
      expect(park('a', { expires: bench.clock.now() - 1000 })).toMatchObject({ parked: false })
    })
  })

  it('forgets no service, whatever happens in whatever order, and keeps journal and memory equal', async () => {
    const is = fc.constantFrom('park', 'park', 'park', 'wake', 'wake', 'leave', 'pass', 'restart')
    const step = fc.record({ is, id: fc.nat(6), rank: fc.nat(3), key: fc.nat(2) })
    const conditions: WakeCondition[] = [CAPACITY, { on: 'quorum', code: 'c' }, { on: 'replica' }]
    await forAllAsync(60, [fc.array(step, { maxLength: 40 })], async (steps) => {
      await using world = createBench()
      let dormitory = world.start()
      /** what must be parked here: all that was parked and neither left nor made way */
      const model = new Map<string, { key: number; rank: number; since: number }>()
      for (const { is, id: number, rank, key } of steps) {
        const id = `s${number}`
        world.woken.length = 0
        if (is === 'park') {
          const on = [conditions[key] as WakeCondition]
          const before = model.get(id)
          const parked = { id, on, rank, arrived: number, expires: Number.MAX_SAFE_INTEGER }
          const result = dormitory.park(parked, dormitory.eventCounter())
          if (result.parked) {
            model.set(id, { key, rank, since: before?.since ?? world.clock.now() })
            if (result.replaced !== undefined) {
              expect(model.get(result.replaced.id)?.rank).toBeLessThanOrEqual(rank)
              model.delete(result.replaced.id)
            }
          } else {
            expect([...model.values()].every((other) => other.rank >= rank)).toBe(true)
          }
        } else if (is === 'leave') {
          expect(dormitory.remove(id)).toBe(model.delete(id))
        } else if (is === 'wake') {
          dormitory.wake(conditions[key] as WakeCondition)
          await dormitory.idle()
          const due = [...model].filter(([, service]) => service.key === key).map(([one]) => one)
          expect([...world.woken].sort()).toEqual(due.sort())
        } else if (is === 'pass') {
          await world.clock.advance(DAY_MS / 4)
          for (const [one, { since }] of model) if (since + DAY_MS <= world.clock.now()) model.delete(one)
        } else {
          await dormitory[Symbol.asyncDispose]()
          dormitory = world.start()
        }
        for (const kept of [dormitory, world.journal.parked])
          expect(
            kept
              .all()
              .map((one) => one.id)
              .sort(),
          ).toEqual([...model.keys()].sort())
        expect(model.size).toBeLessThanOrEqual(world.limits.max)
      }
    })
  })
})
