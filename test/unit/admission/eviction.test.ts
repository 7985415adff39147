import { describe, expect } from 'vitest'
import type { Verdict } from '../../../src/base/verdict.ts'
import { evictingPolicy, GRANT, policyOf, runs, waits } from '../../fixtures/node/admission-harness.ts'
import { it, TASK } from './fixtures.ts'

describe('eviction', () => {
  const evicting = (rank: number, evict: string[]): Verdict => ({ ...runs('better'), rank, evict })

  it('parks what had to end, in the journal before it ends', async ({ world, node }) => {
    world.policy = evictingPolicy(1)
    await node.admission.reevaluateAll()
    const evicted = await node.receiveAndSettle()
    world.runner = () => evicting(5, [evicted])
    world.engine.leave()
    const better = await node.receive()
    expect(world.journal.runs.ofService(evicted)).toMatchObject({ state: 'running', wanted: 'stop' })
    expect(node.services.find(evicted).verdict?.verdict).toMatchObject({ run: false, park: [{ on: 'capacity' }] })
    // killed here: the node finds all of it at its next start
    await node.end()
    world.engine.comeBack()
    world.runner = () => waits([{ on: 'capacity' }])
    const next = await world.start()
    await next.settle(500)
    expect([evicted, better].map(next.state)).toEqual(['parked', 'running'])
    expect(world.engine.starts).toHaveLength(2)
  })

  it('is refused without EVICT, and for SERVICES, whatever a runner says', async ({ world, node }) => {
    const evicted = await node.receiveAndSettle()
    world.runner = () => evicting(5, [evicted])
    const one = await node.receive()
    expect(node.reasons(one)[0]).toMatchObject({ rule: 'node', message: expect.stringContaining('LIMITS.EVICT') })
    world.policy = evictingPolicy(1)
    world.own.add(evicted)
    node.facts.forget()
    const two = await node.receive()
    expect(node.reasons(two)[0]).toMatchObject({ rule: 'node', message: expect.stringContaining('SERVICES') })
    expect([evicted, one, two].map(node.state)).toEqual(['running', 'redirected', 'redirected'])
  })

  it('is refused where evict names what does not run here, and nothing ends', async ({ world, node }) => {
    world.policy = evictingPolicy(2)
    const other = await node.receiveAndSettle()
    world.runner = () => evicting(5, ['nobody'])
    const id = await node.receive()
    const message = expect.stringContaining('evict: no service nobody runs here; only ids that "running"')
    expect(node.reasons(id)[0]).toMatchObject({ rule: 'node', outcome: 'fail', message })
    expect([other, id].map(node.state)).toEqual(['running', 'redirected'])
  })

  it('goes on without a service that has ended since the runner was asked: its capacity is free', async ({
    world,
    node,
  }) => {
    world.policy = evictingPolicy(1)
    const other = await node.receiveAndSettle(TASK)
    world.runner = async () => {
      world.finish(other)
      await node.settle()
      return evicting(5, [other])
    }
    const id = await node.receiveAndSettle()
    expect([other, id].map(node.state)).toEqual(['done', 'running'])
  })

  it('ends a task for good, and says so', async ({ world, node }) => {
    world.policy = evictingPolicy(1)
    const task = await node.receiveAndSettle(TASK)
    world.runner = () => evicting(5, [task])
    await node.receiveAndSettle()
    expect(node.state(task)).toBe('stopped')
    expect(node.reasons(task)[0]).toMatchObject({ rule: 'eviction', outcome: 'fail' })
    expect(node.reportedStates(task).at(-1)).toBe('stopped')
  })
})

describe('a run that takes long to end', () => {
  it('holds nothing up, and is not begun again before it has ended', async ({ world, node }) => {
    const id = await node.receiveAndSettle()
    const before = node.services.find(id).run?.runId
    world.engine.leave()
    const condition = { on: 'quorum', code: 'c' } as const
    world.runner = () => waits([condition])
    world.policy = policyOf(1, { DESC_MAX_LEN: 300 })
    const all = node.admission.reevaluateAll()
    await node.settle(15_000)
    expect((await all).changes).toMatchObject([{ id, from: 'run', to: 'parked' }])
    world.runner = () => runs('known now')
    node.admission.dormitory.wake(condition)
    await world.clock.advance(100)
    expect(node.admission.dormitory.get(id)).toBeDefined()
    world.engine.comeBack()
    await node.settle(20_000)
    expect(node.state(id)).toBe('running')
    expect(node.services.find(id).run?.runId).not.toBe(before)
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
  ] as const)('%o: nothing runs, and the reason names the field', async ([change, words], { world, node }) => {
    world.runner = () => ({ ...runs('an invalid grant'), run: { ...GRANT, ...change } })
    const id = await node.receive()
    expect(node.state(id)).toBe('redirected')
    const message = expect.stringContaining(words)
    expect(node.reasons(id)[0]).toMatchObject({ rule: 'node', outcome: 'fail', message })
    expect(world.journal.runs.all()).toEqual([])
  })

  it('more than is free waits for capacity', async ({ world, node }) => {
    world.runner = () => runs('more than there is')
    const [one, two] = [await node.receive(), await node.receive()]
    expect([one, two].map(node.state)).toEqual(['running', 'parked'])
    await node.settle()
    await node.supervisor.stop(one, { why: 'test' })
    await node.settle()
    expect(node.state(two)).toBe('running')
  })
})
