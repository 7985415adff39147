import { describe, expect, onTestFinished } from 'vitest'
import type { Claim } from '../../../protocols/claims.ts'
import {
  type AdmissionNode,
  type AdmissionWorld,
  otherPeer,
  policyOf,
  runs,
} from '../../fixtures/node/admission-harness.ts'
import { it, TASK } from './fixtures.ts'

const RUNNING: Claim = { state: 'running', leaving: false }
const MINUTE_MS = 60_000
const SERVICE = { replicas: 1, run: { command: ['node', 'a.js'], kind: 'service' as const } }

/** A healthy run of one replica, and a node that takes what it receives. */
async function withRun(world: AdmissionWorld, node: AdmissionNode): Promise<string> {
  world.policy = policyOf(8)
  world.runner = () => runs('it may')
  const id = await node.receiveAndSettle(SERVICE)
  await node.settle(5_000)
  expect(node.supervisor.healthy(id)).toBe(true)
  return id
}

const claimReasonOf = (node: AdmissionNode, id: string) =>
  node.services.runReasons(node.services.find(id)).find(({ rule }) => rule === 'run:claim')

describe('a drained node', () => {
  it('ends a run when another node is healthy with it, and not before', async ({ world, node }) => {
    const id = await withRun(world, node)
    node.admission.drain.begin()
    expect(claimReasonOf(node, id)?.message).toMatch(/^leaving: /)
    expect(world.receipts.at(-1)).toMatchObject({ service: id, state: 'running' })
    await node.settle(5_000)
    const peer = otherPeer()
    for (const state of ['claiming', 'accepted'] as const) {
      world.neighbours.set(peer, { state, leaving: false })
      await node.settle(5_000)
      expect(node.state(id)).toBe('running')
    }
    expect(node.admission.drain.view()).toMatchObject({ done: false, waiting: [{ id, kind: 'service' }], cut: [] })
    expect(node.admission.placementText(id)).toMatch(/^this node is drained: it runs until another node runs it; now /)
    world.neighbours.set(peer, RUNNING)
    await node.settle(5_000)
    expect([node.state(id), node.supervisor.running()]).toEqual(['parked', []])
    expect(node.admission.drain.view()).toMatchObject({ done: true, waiting: [], cut: [] })
    expect(node.reportedStates(id).at(-1)).toBe('parked')
    expect(world.happened).toContainEqual(['node:drained', { cut: [] }])
  })

  it('redirects what runs here, for who does not know it cannot take it over, until the drain is over', async ({
    world,
    node,
  }) => {
    const id = await withRun(world, node)
    const task = await node.receiveAndSettle(TASK)
    const changes = () =>
      world.happened.flatMap(([name, detail]) => (name === 'admission:redirect-changed' ? [detail] : []))
    node.admission.drain.begin()
    await node.settle(100)
    expect(changes()).toContainEqual({ id, redirect: true })
    expect(changes()).not.toContainEqual({ id: task, redirect: true })
    expect([node.state(id), node.state(task)]).toEqual(['running', 'running'])
    expect(node.reasons(id)).toContainEqual(
      expect.objectContaining({ rule: 'redirection', message: expect.stringContaining('this node is drained') }),
    )
    node.admission.drain.end()
    await node.settle(100)
    expect(
      changes()
        .filter((change) => (change as { id: string }).id === id)
        .at(-1),
    ).toEqual({ id, redirect: false })
  })

  it('redirects nothing where REDIRECT forbids it', async ({ world, node }) => {
    const id = await withRun(world, node)
    world.policy = policyOf(8, { REDIRECT: 'never' })
    node.admission.drain.begin()
    await node.settle(100)
    expect(world.happened).not.toContainEqual(['admission:redirect-changed', { id, redirect: true }])
  })

  it.for<[string, Claim, { misbehaves?: boolean }]>([
    ['another that is drained', { state: 'running', leaving: true }, {}],
    ['one that has sent invalid data', RUNNING, { misbehaves: true }],
    ['one that never becomes healthy', { state: 'accepted', leaving: false }, {}],
  ])('makes way for no claim of %s', async ([, claim, { misbehaves = false }], { world, node }) => {
    const id = await withRun(world, node)
    const peer = otherPeer()
    world.neighbours.set(peer, claim)
    if (misbehaves) world.misbehaving.add(peer)
    node.admission.drain.begin()
    await node.settle(3 * MINUTE_MS)
    expect(node.state(id)).toBe('running')
  })

  it('waits for as many others as a service wants replicas', async ({ world, node }) => {
    world.policy = policyOf(8)
    world.runner = () => runs('it may')
    const id = await node.receiveAndSettle({ ...SERVICE, replicas: 2 })
    const first = otherPeer()
    world.neighbours.set(first, RUNNING)
    node.admission.drain.begin()
    await node.settle(10_000)
    expect(node.state(id)).toBe('running')
    world.neighbours.set(otherPeer(), RUNNING)
    await node.settle(5_000)
    expect(node.state(id)).toBe('parked')
  })

  it('stops at the deadline what nobody took over, says which, and begins it again afterwards', async ({
    world,
    node,
  }) => {
    const id = await withRun(world, node)
    const { name } = node.services.find(id).record
    node.admission.drain.begin({ deadlineMs: MINUTE_MS })
    await node.settle(10_000)
    expect(node.state(id)).toBe('running')
    await node.settle(MINUTE_MS)
    expect(node.supervisor.running()).toEqual([])
    expect(node.admission.drain.view()).toMatchObject({ done: true, cut: [{ id, name }] })
    expect(node.supervisor.status(id)?.record.detail).toBe('this node is drained, and its deadline was over')
    expect([node.state(id), node.reasons(id)[0]?.rule]).toEqual(['parked', 'drain'])
    expect(node.admission.drain.end()).toBe(true)
    await node.settle(100)
    expect([node.state(id), node.admission.drain.view()]).toEqual(['running', undefined])
  })

  it('waits for a task that others claim, and cuts it at the deadline for good', async ({ world, node }) => {
    world.policy = policyOf(8)
    world.runner = () => runs('it may')
    const [done, cut] = [await node.receiveAndSettle(TASK), await node.receiveAndSettle(TASK)]
    for (let count = 0; count < 8; count++) world.neighbours.set(otherPeer(), { state: 'claiming', leaving: false })
    node.admission.drain.begin({ deadlineMs: MINUTE_MS })
    expect(claimReasonOf(node, done)).toBeUndefined()
    await node.settle(10_000)
    expect(node.supervisor.running()).toEqual([done, cut])
    world.finish(done)
    await node.settle(MINUTE_MS)
    expect(node.admission.drain.view()?.cut.map(({ id }) => id)).toEqual([cut])
    node.admission.drain.end()
    await node.settle(1_000)
    expect([done, cut].map(node.state)).toEqual(['done', 'stopped'])
    expect(node.supervisor.running()).toEqual([])
  })

  it.for([
    ['service', SERVICE],
    ['task', TASK],
  ] as const)(
    'begins no %s that waits for its start, and begins it once afterwards',
    async ([, change], { world, node }) => {
      world.policy = policyOf(8)
      world.runner = () => runs('it may')
      const begun: string[] = []
      const gate = Promise.withResolvers<void>()
      onTestFinished(() => gate.resolve())
      world.engine.onStart = ({ service }) => {
        begun.push(service)
        return gate.promise
      }
      // both within the time after which a start is overdue
      const until = async (holds: () => boolean) => {
        for (let passed = 0; passed < 4_000 && !holds(); passed += 10) {
          await world.clock.advance(10)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      }
      const starting = await node.receive(TASK)
      await until(() => begun.length > 0)
      const waiting = await node.receive(change)
      const waits = () => /^waits for a start/.test(node.supervisor.status(waiting)?.record.detail ?? '')
      await until(waits)
      expect(waits()).toBe(true)

      node.admission.drain.begin()
      await until(() => !node.supervisor.running().includes(waiting))
      expect([node.state(waiting), node.reasons(waiting)[0]?.rule]).toEqual(['parked', 'drain'])
      expect(node.admission.drain.view()).toMatchObject({ done: false, waiting: [{ id: starting }], cut: [] })
      gate.resolve()
      await node.settle(1_000)
      expect([begun, node.supervisor.running()]).toEqual([[starting], [starting]])
      world.finish(starting)
      await node.settle(2_000)
      expect(node.admission.drain.view()).toMatchObject({ done: true, cut: [] })
      node.admission.drain.end()
      await node.settle(5_000)
      expect([begun, node.state(waiting)]).toEqual([[starting, waiting], 'running'])
    },
  )

  it('takes nothing new, redirects it, and decides it again afterwards', async ({ world, node }) => {
    const old = await withRun(world, node)
    const { name } = node.services.find(old).record
    node.admission.drain.begin()
    const id = await node.receiveAndSettle(SERVICE)
    const update = await node.receive({ ...SERVICE, name, seq: 2 }, old)
    expect([node.state(id), node.state(update), node.supervisor.running()]).toEqual(['parked', 'parked', [old]])
    expect(node.services.find(id).verdict?.verdict).toMatchObject({ redirect: true, reasons: [{ rule: 'drain' }, {}] })
    expect(await node.admission.decide.dryRun(node.services.find(id))).toMatchObject({ verdict: { run: false } })
    await node.settle(30_000)
    expect(node.supervisor.running()).toEqual([old])
    node.admission.drain.end()
    await node.settle(20_000)
    expect(node.supervisor.running().toSorted()).toEqual([id, update].toSorted())
  })

  it('ends the version before an update that others run', async ({ world, node }) => {
    const old = await withRun(world, node)
    const { name } = node.services.find(old).record
    node.admission.drain.begin()
    await node.receive({ ...SERVICE, name, seq: 2 }, old)
    await node.settle(10_000)
    expect(node.supervisor.running()).toEqual([old])
    world.neighbours.set(otherPeer(), RUNNING)
    await node.settle(10_000)
    expect(node.supervisor.running()).toEqual([])
  })

  it('is drained after a crash, and keeps its deadline', async ({ world, node }) => {
    const id = await withRun(world, node)
    const before = node.admission.drain.begin({ deadlineMs: 10 * MINUTE_MS })
    await node.end()
    const next = await world.start()
    await next.settle(5_000)
    expect([next.state(id), next.admission.drain.view()]).toEqual([
      'running',
      expect.objectContaining({ deadline: before.deadline }),
    ])
    const late = await next.receiveAndSettle()
    expect(next.state(late)).toBe('parked')
    await next.end()
    await world.clock.advance(10 * MINUTE_MS)
    const last = await world.start()
    await last.settle(1_000)
    expect(last.supervisor.running()).toEqual([])
    expect(last.admission.drain.view()?.cut.map((one) => one.id)).toEqual([id])
  })

  it('ends SERVICES last', async ({ world, node }) => {
    const own = await withRun(world, node)
    world.own.add(own)
    node.facts.forget()
    const id = await node.receiveAndSettle(SERVICE)
    world.neighbours.set(otherPeer(), undefined)
    node.admission.drain.begin({ deadlineMs: null })
    await node.settle(10 * MINUTE_MS)
    expect(node.supervisor.running()).toEqual([own, id])
    for (const peer of world.neighbours.keys()) world.neighbours.set(peer, RUNNING)
    await node.settle(10_000)
    expect(node.supervisor.running()).toEqual([])
    expect(node.admission.drain.view()?.cut).toEqual([])
  })

  it('gets another deadline where one is given, and keeps it where none is', async ({ world, node }) => {
    await withRun(world, node)
    const { deadline } = node.admission.drain.begin({ deadlineMs: 5 * MINUTE_MS })
    await node.settle(1_000)
    expect(node.admission.drain.begin().deadline).toBe(deadline)
    expect(node.admission.drain.begin({ deadlineMs: null }).deadline).toBeUndefined()
  })
})
