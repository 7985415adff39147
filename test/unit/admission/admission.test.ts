import { describe, expect } from 'vitest'
import { RunnerError } from '../../../src/runner/index.ts'
import { policyOf, refuses, runs, waits } from '../../fixtures/node/admission-harness.ts'
import { it, TASK } from './fixtures.ts'

describe('what a statement of the mesh wakes', () => {
  it.for([{ on: 'quorum', code: 'c' }, { on: 'freeze', chain: 'btc' }, { on: 'policy' }] as const)(
    '%o: is asked again, and runs',
    async (condition, { world, node }) => {
      let known = false
      world.runner = () => (known ? runs('known now') : waits([condition]))
      const id = await node.receive()
      expect(node.state(id)).toBe('parked')
      node.admission.dormitory.wake({ on: 'quorum', code: 'another' })
      await node.settle()
      expect(node.state(id)).toBe('parked')
      known = true
      node.admission.dormitory.wake(condition)
      await node.settle()
      expect(node.state(id)).toBe('running')
      expect(node.reportedStates(id)).toEqual(['parked', 'running'])
    },
  )
})

describe('the end of a sleep', () => {
  it('by TTL: the receipts say that it is only redirected, and why', async ({ world, node }) => {
    world.policy = policyOf(1, { DORMITORY: { TTL_SECONDS: 60 } })
    world.runner = () => waits([{ on: 'policy' }])
    const id = await node.receive()
    await node.settle(30_000)
    expect(node.state(id)).toBe('redirected')
    expect(node.reportedStates(id)).toEqual(['parked', 'redirected'])
    expect(node.reasons(id)[0]).toMatchObject({ rule: 'dormitory', message: expect.stringContaining('TTL_SECONDS') })
    expect(world.redirected.get(id)).toBe(true)
  })

  it('by a better one that takes its slot', async ({ world, node }) => {
    world.policy = policyOf(1, { DORMITORY: { MAX: 1 } })
    world.runner = (service) => ({ ...waits([{ on: 'policy' }]), rank: service.name === 'better' ? 1 : 0 })
    const plain = await node.receive()
    const better = await node.receive({ name: 'better' })
    const late = await node.receive()
    expect([plain, better, late].map(node.state)).toEqual(['redirected', 'parked', 'redirected'])
    expect(node.reportedStates(plain)).toEqual(['parked', 'redirected'])
    expect(node.reportedStates(late)).toEqual(['redirected'])
  })

  it('by its author, its expiry, or the operator', async ({ world, node }) => {
    world.runner = () => waits([{ on: 'policy' }])
    const [stopped, over] = [await node.receive(), await node.receive()]
    const expired = await node.receive({ expires: Math.floor(world.clock.now() / 1000) + 60 })
    world.journal.announcements.end(stopped, 'stopped', 'x')
    node.events.emit('intake:stopped', { author: '', name: '', seq: 0, ids: [stopped] })
    world.journal.stops.add(over, world.clock.now())
    node.admission.removeParked(over)
    await node.settle(30_000)
    expect([stopped, expired, over].map(node.state)).toEqual(['stopped', 'expired', 'stopped'])
    expect(node.admission.view().parked).toBe(0)
    expect(node.reportedStates(expired)).toEqual(['parked', 'stopped'])
  })
})

it('a runner that fails stops nothing that runs, and leaves parked services parked', async ({ world, node }) => {
  const one = await node.receive()
  const two = await node.receiveAndSettle()
  world.runner = () => {
    throw new RunnerError('threw', 'it is broken')
  }
  world.policy = policyOf(1, { DESC_MAX_LEN: 1 })
  expect((await node.admission.reevaluateAll()).changes).toEqual([])
  world.finish(one, 0)
  await node.settle()
  expect(node.state(two)).toBe('parked')
  await expect(node.receive()).rejects.toThrow('it is broken')
})

describe('a new policy', () => {
  it('with less capacity keeps what is worth most, and parks the others', async ({ world, node }) => {
    world.policy = policyOf(3, { PREFER_HOSTCHAINS: { btc: {} } })
    const plain = await node.receive()
    const better = await node.receive({ hostchains: ['btc'] })
    const other = await node.receiveAndSettle()
    expect([plain, better, other].map(node.state)).toEqual(['running', 'running', 'running'])
    world.policy = policyOf(1, { PREFER_HOSTCHAINS: { btc: {} } })
    const before = world.journal.runs.all().length
    const preview = await node.preview(world.policy)
    expect(world.journal.runs.all()).toHaveLength(before)
    const { changes } = await node.admission.reevaluateAll()
    const short = (list: typeof changes) => list.map(({ id, from, to }) => `${id} ${from} ${to}`)
    expect(short(changes)).toEqual([`${plain} run parked`, `${other} run parked`])
    expect(short(preview)).toEqual(short(changes))
    await node.settle()
    expect([plain, better, other].map(node.state)).toEqual(['parked', 'running', 'parked'])
    // the first that arrived is the first that gets capacity again
    await node.supervisor.stop(better, { why: 'test' })
    await node.settle()
    expect([plain, other].map(node.state)).toEqual(['running', 'parked'])
  })

  it('that ranks otherwise keeps what is worth most now', async ({ world, node }) => {
    world.policy = policyOf(2, { PREFER_HOSTCHAINS: { btc: {} } })
    const [btc, algo] = [await node.receive({ hostchains: ['btc'] }), await node.receive({ hostchains: ['algo'] })]
    await node.settle()
    const next = policyOf(1, { PREFER_HOSTCHAINS: { algo: {} } })
    const preview = await node.preview(next)
    world.policy = next
    const { changes } = await node.admission.reevaluateAll()
    expect(changes).toMatchObject([{ id: btc, from: 'run', to: 'parked' }])
    expect(preview.map(({ id }) => id)).toEqual([btc])
    await node.settle()
    expect([btc, algo].map(node.state)).toEqual(['parked', 'running'])
  })

  it("leaves the operator's own services alone", async ({ world, node }) => {
    const id = await node.receiveAndSettle()
    world.own.add(id)
    world.policy = policyOf(1, { DESC_MAX_LEN: 1 })
    expect((await node.admission.reevaluateAll()).changes).toEqual([])
    expect(node.state(id)).toBe('running')
    world.own.clear()
    expect((await node.admission.reevaluateAll()).changes).toMatchObject([{ id, from: 'run', to: 'refused' }])
  })

  it('redirects what was parked and not redirected before', async ({ world, node }) => {
    world.runner = (_service, { config }) => ({ ...waits([{ on: 'policy' }]), redirect: config.DESC_MAX_LEN > 200 })
    const id = await node.receive()
    await node.admission.reevaluateAll()
    expect(world.redirected.get(id)).toBe(false)
    world.policy = policyOf(1, { DESC_MAX_LEN: 300 })
    await node.admission.reevaluateAll()
    expect(world.redirected.get(id)).toBe(true)
  })

  it('that came while the node was away is followed at the next start', async ({ world, node }) => {
    const id = await node.receiveAndSettle()
    await node.end()
    world.policy = policyOf(1, { DESC_MAX_LEN: 1 })
    const next = await world.start()
    await next.settle()
    expect(next.state(id)).toBe('stopped')
    expect(next.reasons(id)).toContainEqual(expect.objectContaining({ rule: 'desc-length', outcome: 'fail' }))
  })

  it('stops a task, which does not begin again', async ({ world, node }) => {
    const task = await node.receiveAndSettle(TASK)
    world.runner = () => waits([{ on: 'policy' }])
    world.policy = policyOf(1, { DESC_MAX_LEN: 300 })
    expect((await node.admission.reevaluateAll()).changes).toMatchObject([{ id: task, to: 'redirected' }])
    expect(node.state(task)).toBe('stopped')
  })
})

it('capacity is the least of what the policy gives away and what the machine has', async ({ world, node }) => {
  world.machine = { memoryBytes: 2 ** 20, memoryTotalBytes: 2 ** 30, cpuMillicores: 1000, diskBytes: 2 ** 21 }
  await node.facts.refresh()
  const least = { memoryBytes: 2 ** 20, cpuMillicores: 1000, diskBytes: 2 ** 21, runs: 1 }
  expect(node.facts.current().capacity).toMatchObject(least)
  const id = await node.receive()
  expect(node.state(id)).toBe('parked')
  expect(node.reasons(id)).toContainEqual(expect.objectContaining({ rule: 'capacity', outcome: 'defer' }))
  // other programs went: what waits for capacity is decided again
  world.machine = undefined
  await node.settle(10_000)
  expect(node.state(id)).toBe('running')
})

it('a machine that is short of memory ends nothing that runs when a policy is loaded', async ({ world, node }) => {
  const id = await node.receiveAndSettle()
  world.machine = { memoryBytes: 0, memoryTotalBytes: 2 ** 20, cpuMillicores: 100, diskBytes: 0 }
  await node.facts.refresh()
  world.policy = policyOf(1, { DESC_MAX_LEN: 300 })
  expect((await node.admission.reevaluateAll()).changes).toEqual([])
  expect(node.state(id)).toBe('running')
})

it('counts what each rule said, warnings apart', async ({ world, node }) => {
  const [a, c] = [
    { rule: 'a', outcome: 'pass', message: 'fine' } as const,
    { rule: 'c', outcome: 'fail', message: 'no' } as const,
  ]
  const b = { rule: 'b', outcome: 'pass', message: 'only a warning', warned: 'fail' } as const
  world.runner = () => ({ run: false, redirect: true, reasons: [a, b, c] })
  for (let times = 0; times < 2; times++) await node.receive()
  const none = { pass: 0, fail: 0, defer: 0, warned: 0 }
  const counts = { a: { ...none, pass: 2 }, b: { ...none, warned: 2 }, c: { ...none, fail: 2 } }
  expect(node.admission.view().counts).toEqual(counts)
})

it.for([
  ['refuses', refuses],
  ['would keep it for later', waits([{ on: 'policy' }])],
] as const)(
  'a version that runs on because its update failed ends by a policy that %s it, is not begun again, nor announced to the mesh',
  async ([, verdict], { world, node }) => {
    let admits = true
    world.runner = () => (admits ? runs('admitted') : verdict)
    const id = await node.receiveAndSettle()
    expect(node.state(id)).toBe('running')
    world.journal.announcements.end(id, 'superseded', 'its-update')
    await node.admission.reevaluateAll()
    expect(node.supervisor.running()).toEqual([id])
    world.redirected.clear()
    admits = false
    const { changes } = await node.admission.reevaluateAll()
    expect(changes).toMatchObject([{ id, from: 'run' }])
    await node.settle()
    expect(node.supervisor.running()).toEqual([])
    admits = true
    await node.admission.reevaluateAll()
    await node.settle()
    expect(node.supervisor.running()).toEqual([])
    expect([node.admission.parkedState(id), world.redirected.has(id)]).toEqual([undefined, false])
  },
)
