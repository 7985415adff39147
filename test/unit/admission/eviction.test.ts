import { describe, expect } from 'vitest'
import type { Verdict } from '../../../src/base/verdict.ts'
import { evictingPolicy, GRANT, policyOf, runs, waits } from '../../fixtures/node/admission-harness.ts'
import { it, TASK } from './fixtures.ts'

describe('eviction', () => {
  const evicting = (rank: number, evict: string[]): Verdict => ({ ...runs('better'), rank, evict })

  it('parks what had to end, in the journal before it ends', async ({ world, life }) => {
    world.policy = evictingPolicy(1)
    await life.admission.reevaluateAll()
    const evicted = await life.hearAndSettle()
    world.runner = () => evicting(5, [evicted])
    world.engine.leave()
    const better = await life.hear()
    expect(world.journal.runs.ofService(evicted)).toMatchObject({ state: 'running', wanted: 'stop' })
    expect(life.services.find(evicted).verdict?.verdict).toMatchObject({ run: false, park: [{ on: 'capacity' }] })
    // killed here: the next life finds all of it
    await life.end()
    world.engine.comeBack()
    world.runner = () => waits([{ on: 'capacity' }])
    const next = await world.start()
    await next.settle(500)
    expect([evicted, better].map(next.state)).toEqual(['parked', 'running'])
    expect(world.engine.starts).toHaveLength(2)
  })

  it('is refused without EVICT, and for SERVICES, whatever a runner says', async ({ world, life }) => {
    const evicted = await life.hearAndSettle()
    world.runner = () => evicting(5, [evicted])
    const one = await life.hear()
    expect(life.reasons(one)[0]).toMatchObject({ rule: 'node', message: expect.stringContaining('LIMITS.EVICT') })
    world.policy = evictingPolicy(1)
    world.own.add(evicted)
    life.facts.forget()
    const two = await life.hear()
    expect(life.reasons(two)[0]).toMatchObject({ rule: 'node', message: expect.stringContaining('SERVICES') })
    expect([evicted, one, two].map(life.state)).toEqual(['running', 'redirected', 'redirected'])
  })

  it('is refused where evict names what does not run here, and nothing ends', async ({ world, life }) => {
    world.policy = evictingPolicy(2)
    const other = await life.hearAndSettle()
    world.runner = () => evicting(5, ['nobody'])
    const id = await life.hear()
    const message = expect.stringContaining('evict: no service nobody runs here; only ids that "running"')
    expect(life.reasons(id)[0]).toMatchObject({ rule: 'node', outcome: 'fail', message })
    expect([other, id].map(life.state)).toEqual(['running', 'redirected'])
  })

  it('goes on without a service that has ended since the runner was asked: its capacity is free', async ({
    world,
    life,
  }) => {
    world.policy = evictingPolicy(1)
    const other = await life.hearAndSettle(TASK)
    world.runner = async () => {
      world.finish(other)
      await life.settle()
      return evicting(5, [other])
    }
    const id = await life.hearAndSettle()
    expect([other, id].map(life.state)).toEqual(['done', 'running'])
  })

  it('ends a task for good, and says so', async ({ world, life }) => {
    world.policy = evictingPolicy(1)
    const task = await life.hearAndSettle(TASK)
    world.runner = () => evicting(5, [task])
    await life.hearAndSettle()
    expect(life.state(task)).toBe('stopped')
    expect(life.reasons(task)[0]).toMatchObject({ rule: 'eviction', outcome: 'fail' })
    expect(life.reportedStates(task).at(-1)).toBe('stopped')
  })
})

describe('a run that takes long to end', () => {
  it('holds nothing up, and is not begun again before it has ended', async ({ world, life }) => {
    const id = await life.hearAndSettle()
    const before = life.services.find(id).run?.runId
    world.engine.leave()
    const condition = { on: 'quorum', code: 'c' } as const
    world.runner = () => waits([condition])
    world.policy = policyOf(1, { DESC_MAX_LEN: 300 })
    const all = life.admission.reevaluateAll()
    await life.settle(15_000)
    expect((await all).changes).toMatchObject([{ id, from: 'run', to: 'parked' }])
    world.runner = () => runs('known now')
    life.admission.dormitory.wake(condition)
    await world.clock.advance(100)
    expect(life.admission.dormitory.get(id)).toBeDefined()
    world.engine.comeBack()
    await life.settle(20_000)
    expect(life.state(id)).toBe('running')
    expect(life.services.find(id).run?.runId).not.toBe(before)
  })
})

describe('a grant that the node cannot give', () => {
  it.for([
    [{ memoryBytes: 2 ** 40 }, 'LIMITS.SERVICE.MEMORY'],
    [{ cpuMillicores: 100_000 }, 'LIMITS.SERVICE.CPU'],
    [{ diskBytes: 2 ** 40 }, 'LIMITS.SERVICE.DISK'],
    [{ pids: 100_000 }, 'LIMITS.SERVICE.PIDS'],
    [{ executor: 'docker' }, 'run.executor: docker is not there now; host is'],
    [{ network: { mode: 'open' } }, 'run.network.mode: the host executor grants'],
  ] as const)('%o: nothing runs, and the reason names the field', async ([change, words], { world, life }) => {
    world.runner = () => ({ ...runs('an invalid grant'), run: { ...GRANT, ...change } })
    const id = await life.hear()
    expect(life.state(id)).toBe('redirected')
    const message = expect.stringContaining(words)
    expect(life.reasons(id)[0]).toMatchObject({ rule: 'node', outcome: 'fail', message })
    expect(world.journal.runs.all()).toEqual([])
  })

  it('more than is free waits for capacity', async ({ world, life }) => {
    world.runner = () => runs('more than there is')
    const [one, two] = [await life.hear(), await life.hear()]
    expect([one, two].map(life.state)).toEqual(['running', 'parked'])
    await life.settle()
    await life.supervisor.stop(one, { why: 'test' })
    await life.settle()
    expect(life.state(two)).toBe('running')
  })
})
