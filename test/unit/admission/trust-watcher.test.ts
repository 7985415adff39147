import { beforeEach, describe, expect, it } from 'vitest'
import type { Verdict } from '../../../src/base/verdict.ts'
import type { RunnerSnapshot } from '../../../src/runner/index.ts'
import type { AdmissionNode, AdmissionWorld } from '../../fixtures/node/admission-harness.ts'
import { createAdmissionWorld, GRANT, policyOf } from '../../fixtures/node/admission-harness.ts'

let world: AdmissionWorld
let node: AdmissionNode
beforeEach(async () => {
  world = await createAdmissionWorld({ policy: policyOf(3) })
  world.runner = (service, snapshot) => judge(service.code, snapshot)
  node = await world.start()
  return () => world[Symbol.asyncDispose]()
})

const HUB = 'hub-a'

/** Runs what is safe or in the tree, waits for a word otherwise, drops what is unsafe. */
function judge(code: string, { attestations, inTree }: RunnerSnapshot): Verdict {
  const reason = (outcome: 'pass' | 'fail' | 'defer', message: string) => [{ rule: 'trust', outcome, message }]
  if (attestations.some(({ verdict }) => verdict === 'unsafe')) {
    return { run: false, redirect: false, reasons: reason('fail', 'a hub calls it unsafe') }
  }
  if (inTree || attestations.length > 0) return { run: GRANT, redirect: false, reasons: reason('pass', 'safe') }
  return { run: false, redirect: true, park: [{ on: 'quorum', code }], reasons: reason('defer', 'nobody knows') }
}

function says(verdict: 'safe' | 'unsafe', severity?: 'low' | 'critical') {
  const word = { hub: HUB, verdict, issued: 0, expires: 2 ** 40, severity }
  world.believed = { ...world.believed, inTree: false, attestations: [word] }
}

/** The trust part says that something about a code has changed. */
const changed = (code: string) => node.events.emit('trust:changed', { on: 'code', code })
const codeOf = (id: string) => node.services.find(id).signed.body.code.toString()

describe('what hubs and roots say', () => {
  beforeEach(() => {
    world.believed = { ...world.believed, inTree: false }
  })

  it('wakes what waits for it, and asks the mesh as soon as it waits', async () => {
    const id = await node.receive()
    expect(node.state(id)).toBe('parked')
    expect(world.lookedUp).toEqual([codeOf(id)])
    says('safe')
    changed('another')
    await node.settle()
    expect(node.state(id)).toBe('parked')
    changed(codeOf(id))
    await node.settle()
    expect(node.state(id)).toBe('running')
  })

  it('asks the mesh about what runs only until it could be asked', async () => {
    says('safe')
    world.meshAnswers = false
    const id = await node.receiveAndSettle()
    expect(node.state(id)).toBe('running')
    const before = world.lookedUp.length
    expect(before).toBeGreaterThan(0)
    for (const [meshAnswers, ms, more] of [
      [false, 6_000, 1],
      [true, 31_000, 2],
      [true, 600_000, 2],
    ] as const) {
      world.meshAnswers = meshAnswers
      await world.clock.advance(ms)
      expect(world.lookedUp).toHaveLength(before + more)
    }
  })

  it('fetches code ahead that one hub calls safe, and no other', async () => {
    world.runner = ({ code }) => ({ ...judge(code, { attestations: [], inTree: false } as never) })
    const id = await node.receive()
    expect(world.ahead).toEqual([])
    for (const [word, ahead] of [
      ['unsafe', []],
      ['safe', [id]],
    ] as const) {
      says(word)
      changed(codeOf(id))
      await node.settle()
      expect(world.ahead).toEqual(ahead)
    }
    expect(node.state(id)).toBe('parked')
  })

  it('wakes what was decided before the word came, and parked after it', async () => {
    const code = 'c'
    world.runner = async (service, snapshot) => {
      if (snapshot.attestations.length > 0) return judge(service.code, snapshot)
      const verdict = judge(service.code, snapshot)
      says('safe')
      world.believed = { ...world.believed, quorum: { hubs: 1, weight: 0, met: true } }
      changed(code)
      return verdict
    }
    const id = await node.receiveAndSettle()
    expect(node.state(id)).toBe('running')
  })

  it('wakes by a delegation what waits for something else', async () => {
    const id = await node.receive()
    world.believed = { ...world.believed, inTree: true }
    node.events.emit('trust:changed', { on: 'tree' })
    await node.settle()
    expect(node.state(id)).toBe('running')
  })

  it('asks again about those alone whom a link lets in or out', async () => {
    const id = await node.receive()
    let asked = 0
    world.runner = ({ code }, snapshot) => {
      asked++
      return judge(code, snapshot)
    }
    const link = async (inTree: boolean) => {
      world.believed = { ...world.believed, inTree }
      node.events.emit('trust:changed', { on: 'tree' })
      await node.settle(3000)
      return [node.state(id), asked]
    }
    // the first time it is not known how it was before
    expect(await link(false)).toEqual(['parked', 1])
    expect(await link(false)).toEqual(['parked', 1])
    const [running, times] = await link(true)
    expect(running).toBe('running')
    expect(await link(true)).toEqual(['running', times])
    expect((await link(false))[0]).toBe('parked')
  })

  it('stops what runs: in less time than others get, and at once where it is critical', async () => {
    for (const severity of ['low', 'critical'] as const) {
      says('safe')
      const id = await node.receiveAndSettle()
      says('unsafe', severity)
      changed(codeOf(id))
      await node.settle(3000)
      expect(node.state(id)).toBe('stopped')
    }
    expect(world.engine.stops.map(({ graceMs }) => graceMs)).toEqual([2000, 0])
  })

  it('stops what ran when the node ended last, if the statement came too late for it', async () => {
    says('safe')
    const id = await node.receiveAndSettle()
    await node.end()
    says('unsafe')
    node = await world.start()
    await node.settle(3000)
    expect(node.state(id)).toBe('stopped')
  })

  it('parks what ran by a word that has expired', async () => {
    says('safe')
    const id = await node.receiveAndSettle()
    world.believed = { ...world.believed, attestations: [] }
    changed(codeOf(id))
    await node.settle(3000)
    expect(node.state(id)).toBe('parked')
  })

  it('names whose code and author matter: what runs and what waits', async () => {
    const waiting = await node.receive()
    says('safe')
    const running = await node.receiveAndSettle()
    const inUse = node.admission.trustWatcher.servicesInUse().map(({ service }) => service)
    expect(inUse.sort()).toEqual([waiting, running].sort())
  })
})
