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

describe('replicas', () => {
  const runs2 = { state: 'running', leaving: false } as const

  it('what enough other nodes run waits, and is begun when one is missing', async ({ world, node }) => {
    const [near, far] = [otherPeer(), otherPeer()]
    world.neighbours.set(near, runs2).set(far, runs2)
    world.runner = () => runs('it may')
    const id = await node.receive({ replicas: 2 })
    expect(node.state(id)).toBe('accepted')
    await node.settle(500)
    expect(node.state(id)).toBe('parked')
    expect(node.reasons(id)[0]).toMatchObject({ rule: 'replicas', outcome: 'defer' })
    expect(node.supervisor.status(id)).toBeUndefined()
    await node.settle(5_000)
    expect(node.state(id)).toBe('parked')
    world.neighbours.set(far, undefined)
    await node.settle(2_500)
    expect(node.state(id)).toBe('running')
    expect(node.admission.placementText(id)).toMatch(/^1 of 2 replicas is claimed by/)
  })

  it('what is done elsewhere is not begun', async ({ world, node }) => {
    world.neighbours.set(otherPeer(), { state: 'done', leaving: false })
    world.runner = () => runs('it may')
    const id = await node.receiveAndSettle(TASK)
    await node.settle(1_000)
    expect([node.state(id), node.supervisor.status(id)]).toEqual(['parked', undefined])
  })

  it('a claim holds its capacity, and gives it back', async ({ world, node }) => {
    world.policy = policyOf(1)
    world.neighbours.set(otherPeer(), runs2)
    world.runner = () => runs('it may')
    const first = await node.receive()
    const second = await node.receive()
    expect([first, second].map(node.state)).toEqual(['accepted', 'parked'])
    expect(node.reasons(second)[0]).toMatchObject({ rule: 'capacity' })
    await node.settle(1_500)
    expect(node.reasons(second)[0]).toMatchObject({ rule: 'replicas' })
  })

  describe('of an update', () => {
    const both = { name: 'updated', replicas: 1, run: { command: ['node', 'a.js'], kind: 'service' as const } }

    async function withUpdate(world: AdmissionWorld, node: AdmissionNode, claim?: Claim) {
      world.policy = policyOf(2)
      world.runner = () => runs('it may')
      const old = await node.receiveAndSettle(both)
      expect(node.state(old)).toBe('running')
      world.neighbours.set(otherPeer(), claim)
      return { old, update: await node.receive({ ...both, seq: 2 }, old) }
    }

    it('who runs the version before asks without a wait, and stops that one when the update is healthy', async ({
      world,
      node,
    }) => {
      const { old, update } = await withUpdate(world, node)
      await node.settle(100)
      expect(node.supervisor.running()).toEqual([old, update])
      await node.settle(12_000)
      expect(node.supervisor.running()).toEqual([update])
    })

    it('that enough others are healthy with: the version before ends, and the update stands by', async ({
      world,
      node,
    }) => {
      const { old, update } = await withUpdate(world, node, runs2)
      await node.settle(100)
      expect([node.state(update), node.supervisor.running()]).toEqual(['parked', [old]])
      await node.settle(4_000)
      expect([node.state(update), node.supervisor.running()]).toEqual(['parked', []])
    })

    it('that another only begins: the version before goes on', async ({ world, node }) => {
      const { old, update } = await withUpdate(world, node, { state: 'accepted', leaving: false })
      await node.settle(10_000)
      expect([node.state(update), node.supervisor.running()]).toEqual(['parked', [old]])
    })
  })

  it('one of SERVICES is bound to its node: it goes on beside nearer ones', async ({ world, node }) => {
    world.runner = () => runs('it may')
    const id = await node.receiveAndSettle()
    world.own.add(id)
    node.facts.forget()
    for (let count = 0; count < 8; count++) world.neighbours.set(otherPeer(), runs2)
    await node.settle(30_000)
    expect(node.state(id)).toBe('running')
  })

  it('a run that is one too many while it waits for its start costs no process', async ({ world, node }) => {
    const begun: string[] = []
    const gate = Promise.withResolvers<void>()
    onTestFinished(() => gate.resolve())
    world.engine.onStart = ({ service }) => {
      begun.push(service)
      return gate.promise
    }
    // both within the time after which a start is overdue
    const until = async (holds: () => boolean, ms: number) => {
      for (let passed = 0; passed < ms && !holds(); passed += 10) {
        await world.clock.advance(10)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    world.policy = policyOf(2)
    world.runner = () => runs('it may')
    const first = await node.receive()
    await until(() => begun.length > 0, 1_000)
    const second = await node.receive()
    const detail = () => node.supervisor.status(second)?.record.detail ?? ''
    await until(() => detail() !== '', 1_000)
    expect(detail()).toMatch(/^waits for a start/)
    for (let count = 0; count < 32; count++) world.neighbours.set(otherPeer(), runs2)
    await until(() => node.state(second) === 'parked', 7_000)
    expect(node.state(second)).toBe('parked')
    gate.resolve()
    await node.settle(1_000)
    expect(begun).toEqual([first])
  })

  it('a run that is one too many ends, and stands by', async ({ world, node }) => {
    world.runner = () => runs('it may')
    const id = await node.receiveAndSettle()
    for (let count = 0; count < 32; count++) world.neighbours.set(otherPeer(), runs2)
    await node.settle(10_000)
    expect([node.state(id), node.supervisor.running()]).toEqual(['parked', []])
    expect(node.reasons(id)[0]?.message).toMatch(/^the one replica is claimed by/)
  })
})
