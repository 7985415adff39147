import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stateText } from '../../../src/cli/commands/list.ts'
import { verdictText, wakeText } from '../../../src/cli/output/format-verdict.ts'
import { since, when } from '../../../src/cli/output/text.ts'
import { receiptLine } from '../../../src/cli/publishing/receipt-tracker.ts'
import { andromeda } from '../../../src/runner/andromeda/index.ts'
import { serviceState } from '../../../src/services/state.ts'
import {
  type AdmissionLife,
  type AdmissionWorld,
  createAdmissionWorld,
  policyOf,
} from '../../fixtures/node/admission-harness.ts'

describe('one truth has one wording', () => {
  let world: AdmissionWorld
  let life: AdmissionLife
  beforeEach(async () => {
    world = await createAdmissionWorld({ policy: policyOf(2) })
    life = await world.start()
  })
  afterEach(() => world[Symbol.asyncDispose]())

  it('an update travels where the version before it does: the publisher is told so at once', async () => {
    world.runner = () => ({ run: false, redirect: false, reasons: [] })
    const first = await life.hear()
    world.journal.announcements.setRedirect(first, true)
    const { journal } = world
    const stateOf = journal.announcements.stateOf.bind(journal.announcements)
    journal.announcements.stateOf = (id) => ({ ...(stateOf(id) ?? { state: 'live' }), predecessor: first })
    await life.hear()
    expect(world.receipts.map(({ state, redirected }) => [state, redirected])).toEqual([
      ['refused', false],
      ['refused', true],
    ])
    const receipt = { node: 'n', peerId: 'p', state: 'refused', redirected: true, reasons: [], at: 1 }
    expect(receiptLine(receipt, 'p')).toBe('p  refused and passed it on')
    expect(verdictText({ run: false, redirect: true, reasons: [] })).toBe('not run here, passed on')
    const view = { ...life.services.view(life.services.find(first)), state: 'refused' as const, redirected: true }
    expect(stateText(view)).toBe('refused, passed on')
  })

  it('what waits for an engine does not wait for room', async () => {
    world.runner = (service, snapshot) =>
      andromeda(service, { ...snapshot, capacity: { ...snapshot.capacity, executors: [] } })
    const id = await life.hear()
    expect(life.state(id)).toBe('parked')
    const { on } = life.admission.dormitory.get(id) ?? { on: [] }
    expect(on).toEqual([{ on: 'executor', executor: 'host' }])
    expect(wakeText(on)).toBe('the host sandbox is available')
    expect(wakeText([{ on: 'executor', executor: 'docker' }])).toBe('the Docker engine answers')
    world.runner = (service, snapshot) => andromeda(service, snapshot)
    life.admission.dormitory.wake({ on: 'executor', executor: 'host' })
    await life.settle()
    expect(life.state(id)).toBe('running')
  })

  it('nothing is passed on where REDIRECTION_DEPTH is 0, whatever else is said', async () => {
    world.policy = policyOf(0, { REDIRECTION_DEPTH: 0, DORMITORY: { MAX: 0 } })
    const id = await life.hear()
    expect(life.services.find(id).verdict?.verdict).toMatchObject({ run: false, redirect: false })
  })

  it('a run that failed, and was superseded, failed', () => {
    const facts = { now: 1, expires: 9, kind: 'service', published: false } as const
    const run = { state: 'failed', exitCode: 1, healthy: false } as const
    expect(serviceState({ ...facts, stopped: true, over: true, run })).toBe('failed')
    expect(serviceState({ ...facts, stopped: true, over: false, run })).toBe('stopped')
    expect(serviceState({ ...facts, stopped: true, over: true, run: { state: 'stopped', healthy: false } })).toBe(
      'stopped',
    )
  })

  it('what is now is not in 0 ms, and what has run has not begun in the future', () => {
    expect([when(10, 10), when(12, 10), when(8, 10)]).toEqual(['now', 'in 2.0 s', '2.0 s ago'])
    expect([since(10, 10), since(12, 10), since(8, 10)]).toEqual(['0 ms', '0 ms', '2.0 s'])
  })
})
