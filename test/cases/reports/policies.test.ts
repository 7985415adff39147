import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stateText } from '../../../src/cli/commands/list.ts'
import { verdictText, wakeText } from '../../../src/cli/output/format-verdict.ts'
import { since, when } from '../../../src/cli/output/text.ts'
import { receiptLine } from '../../../src/cli/publishing/receipt-tracker.ts'
import type { Policy } from '../../../src/config/index.ts'
import { andromeda } from '../../../src/runner/andromeda/index.ts'
import { serviceState } from '../../../src/services/state.ts'
import {
  type AdmissionNode,
  type AdmissionWorld,
  createAdmissionWorld,
  policyOf,
} from '../../fixtures/node/admission-harness.ts'

const CHAINS = { PREFER_HOSTCHAINS: { btc: {}, algo: {} } }
/** Nothing of what these tests receive is of interest. */
const closed = (runs: number) => policyOf(runs, { ...CHAINS, KEYWORDS: ['nothing'] })
const open = (runs: number) => policyOf(runs, CHAINS)

let world: AdmissionWorld
let node: AdmissionNode
beforeEach(async () => {
  world = await createAdmissionWorld({ policy: closed(2) })
  node = await world.start()
})
afterEach(() => world[Symbol.asyncDispose]())

/** Drives the clock until nothing is decided again any more. */
async function reconsidered(): Promise<void> {
  let over = false
  const done = node.admission.backgroundIdle().finally(() => {
    over = true
  })
  while (!over) await world.clock.advance(50)
  await done
  await node.settle()
}

async function apply(policy: Policy): Promise<void> {
  world.policy = policy
  const all = node.admission.reevaluateAll()
  await world.clock.advance(0)
  await all
}

const preview = (policy: Policy) =>
  node.admission.reevaluation.preview(async (...asked) => world.runner(...asked), policy.config)

async function receiveMany(
  count: number,
  change: (index: number) => Parameters<AdmissionNode['receive']>[0] = () => ({}),
) {
  const ids: string[] = []
  for (let index = 0; index < count; index++) ids.push(await node.receive(change(index)))
  return ids
}

/** How often the runner is asked about each service from now on. */
function countQuestions(): Map<string, number> {
  const seen = new Map<string, number>()
  const { runner } = world
  world.runner = (service, snapshot) => {
    seen.set(service.id, (seen.get(service.id) ?? 0) + 1)
    return runner(service, snapshot)
  }
  return seen
}

const reevaluations = () => world.happened.flatMap(([name, detail]) => (name === 'node:reconsidered' ? [detail] : []))

describe('R8: a policy that admits what was redirected', () => {
  it('says before what would start and be parked, starts the best, and tells the publishers', async () => {
    const plain = await node.receive()
    const best = await node.receive({ hostchains: ['btc', 'algo'] })
    const good = await node.receive({ hostchains: ['btc'] })
    expect([plain, best, good].map(node.state)).toEqual(['redirected', 'redirected', 'redirected'])
    const before = await preview(open(2))
    expect(before.changes.map(({ id, from, to }) => [id, from, to])).toEqual([
      [best, 'redirected', 'run'],
      [good, 'redirected', 'run'],
      [plain, 'redirected', 'parked'],
    ])
    expect([before.asked, before.notAsked, before.forgotten]).toEqual([3, 0, 0])
    await apply(open(2))
    await reconsidered()
    expect([plain, best, good].map(node.state)).toEqual(['parked', 'running', 'running'])
    const begun = world.journal.runs.all().map(({ service }) => service)
    expect(begun.toReversed()).toEqual([best, good])
    expect(reevaluations()).toMatchObject([{ services: 3, changed: 3, forgotten: 0 }])
    expect(node.reportedStates(best)).toEqual(['redirected', 'running'])
  })

  it('starts nothing that its author, or the operator, stopped meanwhile', async () => {
    const [stopped, local, other] = [await node.receive(), await node.receive(), await node.receive()]
    await apply(open(3))
    // between the look at all and the start of the first
    let asked = 0
    const { runner } = world
    world.runner = (service, snapshot) => {
      if (++asked === 1) {
        world.journal.announcements.end(stopped, 'stopped', 'x')
        world.journal.stops.add(local, world.clock.now())
      }
      return runner(service, snapshot)
    }
    await reconsidered()
    expect([stopped, local, other].map(node.state)).toEqual(['stopped', 'stopped', 'running'])
    expect(world.journal.runs.all()).toHaveLength(1)
  })

  it('goes on where it was killed', async () => {
    const ids = await receiveMany(100)
    await apply(open(2))
    await world.clock.advance(120)
    // killed: nothing more happens in this process
    await node.end()
    const seen = countQuestions()
    node = await world.start()
    await reconsidered()
    expect(ids.filter((id) => node.state(id) === 'running')).toEqual(ids.slice(0, 2))
    expect(ids.filter((id) => node.state(id) === 'redirected')).toEqual([])
    // what the node had asked about before was asked about only when it was its turn
    const lookedAt = [...seen.values()].filter((count) => count > 1).length
    expect(lookedAt).toBeGreaterThan(0)
    expect(lookedAt).toBeLessThan(100)
  })

  it('is begun from the start by a newer policy', async () => {
    const ids = await receiveMany(60, (index) => ({ keywords: [index < 30 ? 'old' : 'new'] }))
    await apply(policyOf(60, { ...CHAINS, KEYWORDS: ['old'] }))
    await world.clock.advance(70)
    await apply(policyOf(60, { ...CHAINS, KEYWORDS: ['new'] }))
    await reconsidered()
    expect(ids.slice(0, 30).map(node.state)).toEqual(Array(30).fill('redirected'))
    expect(new Set(ids.slice(30).map(node.state))).toEqual(new Set(['running', 'parked']))
    expect(world.journal.reevaluations.best(1)).toEqual([])
  })

  it('leaves alone what has run for good, and begins no task twice', async () => {
    world.policy = open(2)
    const task = await node.receive({ run: { command: ['x'], kind: 'task' } })
    await node.settle()
    await apply(closed(2))
    await reconsidered()
    expect(node.state(task)).toBe('stopped')
    expect((await preview(open(2))).changes).toEqual([])
    await apply(open(2))
    await reconsidered()
    expect(node.state(task)).toBe('stopped')
    expect(world.journal.runs.all()).toHaveLength(1)
  })

  it('decides about a thousand, as many as fit run, and the best of the others are parked', async () => {
    const ids = await receiveMany(1000, (index) => ({ hostchains: index % 100 === 99 ? ['btc'] : [] }))
    const next = policyOf(4, { ...CHAINS, DORMITORY: { MAX: 20 } })
    const before = await preview(next)
    const best = ids.filter((_, index) => index % 100 === 99)
    const parked = [...best.slice(4), ...ids.slice(0, 14)]
    const those = (wanted: string) => before.changes.filter(({ to }) => to === wanted).map(({ id }) => id)
    expect([those('run'), those('parked')]).toEqual([best.slice(0, 4), parked])
    await apply(next)
    await reconsidered()
    const running = ids.filter((id) => node.services.view(node.services.find(id)).state === 'running')
    expect(running).toEqual(best.slice(0, 4))
    expect(node.admission.dormitory.all().map(({ id }) => id)).toEqual(parked)
  })

  it('is followed by a word of a hub or of a root, for what it concerns', async () => {
    const ids = [await node.receive(), await node.receive()]
    const seen = countQuestions()
    node.events.emit('trust:changed', { on: 'code', code: 'bafyother' })
    await reconsidered()
    expect(seen.size).toBe(0)
    const { code } = node.services.view(node.services.find(ids[0] as string))
    node.events.emit('trust:changed', { on: 'code', code })
    await reconsidered()
    expect([...seen.keys()].sort()).toEqual(ids.toSorted())
    // the tree: those whose author it lets in
    world.believed = { ...world.believed, inTree: false }
    node.events.emit('trust:changed', { on: 'tree' })
    await reconsidered()
    expect(ids.map((id) => seen.get(id))).toEqual([2, 2])
    node.events.emit('trust:changed', { on: 'tree' })
    await reconsidered()
    expect(ids.map((id) => seen.get(id))).toEqual([2, 2])
  })

  it('says what the journal had no space for', async () => {
    await receiveMany(30)
    world.journal.prune(20)
    expect((await preview(open(2))).forgotten).toBeGreaterThanOrEqual(10)
    await apply(open(2))
    await reconsidered()
    expect(reevaluations()).toMatchObject([{ forgotten: expect.any(Number) }])
    // when all of it has expired there is nothing to say
    world.clock.jump(400 * 86_400_000)
    expect((await preview(open(2))).forgotten).toBe(0)
  })
})

describe('R10: one truth has one wording', () => {
  beforeEach(() => {
    world.policy = policyOf(2)
  })

  it('an update travels where the version before it does: the publisher gets the answer at once', async () => {
    world.runner = () => ({ run: false, redirect: false, reasons: [] })
    const first = await node.receive()
    world.journal.announcements.setRedirect(first, true)
    const { announcements } = world.journal
    const stateOf = announcements.stateOf.bind(announcements)
    announcements.stateOf = (id) => ({ ...(stateOf(id) ?? { state: 'live' }), predecessor: first })
    await node.receive()
    expect(world.receipts.map(({ state, redirected }) => [state, redirected])).toEqual([
      ['refused', false],
      ['refused', true],
    ])
    const receipt = { node: 'n', peerId: 'p', state: 'refused', redirected: true, reasons: [], at: 1 }
    expect(receiptLine(receipt, 'p')).toBe('p  refused, and passed it on')
    expect(verdictText({ run: false, redirect: true, reasons: [] })).toBe('not run here, redirected')
    const view = { ...node.services.view(node.services.find(first)), state: 'refused' as const, redirected: true }
    expect(stateText(view)).toBe('refused, redirected')
  })

  it('what waits for an engine does not wait for capacity', async () => {
    world.runner = (service, snapshot) =>
      andromeda(service, { ...snapshot, capacity: { ...snapshot.capacity, executors: [] } })
    const id = await node.receive()
    expect(node.state(id)).toBe('parked')
    const { on } = node.admission.dormitory.get(id) ?? { on: [] }
    expect(on).toEqual([{ on: 'executor', executor: 'host' }])
    expect(wakeText(on)).toBe('the host sandbox is available')
    expect(wakeText([{ on: 'executor', executor: 'docker' }])).toBe('the Docker engine answers')
    world.runner = (service, snapshot) => andromeda(service, snapshot)
    node.admission.dormitory.wake({ on: 'executor', executor: 'host' })
    await node.settle()
    expect(node.state(id)).toBe('running')
  })

  it('nothing is redirected where REDIRECTION_DEPTH is 0, whatever else is said', async () => {
    world.policy = policyOf(0, { REDIRECTION_DEPTH: 0, DORMITORY: { MAX: 0 } })
    const id = await node.receive()
    expect(node.services.find(id).verdict?.verdict).toMatchObject({ run: false, redirect: false })
  })

  it('a run that failed, and was superseded, failed', () => {
    const facts = { now: 1, expires: 9, kind: 'service', published: false } as const
    const run = { state: 'failed', exitCode: 1, healthy: false } as const
    expect(serviceState({ ...facts, stopped: true, over: true, run })).toBe('failed')
    expect(serviceState({ ...facts, stopped: true, over: false, run })).toBe('stopped')
    const stopped = { state: 'stopped', healthy: false } as const
    expect(serviceState({ ...facts, stopped: true, over: true, run: stopped })).toBe('stopped')
  })

  it('what is now is not in 0 ms, and what has run has not begun in the future', () => {
    expect([when(10, 10), when(12, 10), when(8, 10)]).toEqual(['now', 'in 2.0 s', '2.0 s ago'])
    expect([since(10, 10), since(12, 10), since(8, 10)]).toEqual(['0 ms', '0 ms', '2.0 s'])
  })
})
