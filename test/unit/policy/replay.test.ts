import { expect, test } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { manualClock } from '../../../src/base/clock.ts'
import type { Grant, Reason, Verdict } from '../../../src/base/verdict.ts'
import type { JournaledService } from '../../../src/journal/index.ts'
import { emptyNode } from '../../../src/policy/empty-node.ts'
import { type ReplayChange, type ReplaySide, RunnerUnusableError, replay } from '../../../src/policy/replay.ts'
import { createReplayCounters } from '../../../src/policy/replay-summary.ts'
import { type Answer, differenceOf, outcomeOf } from '../../../src/policy/verdict-diff.ts'
import { type ReceivedService, RunnerError, type RunnerSnapshot } from '../../../src/runner/index.ts'
import { ANNOUNCED_CODE, announcementOf, newSigner } from '../../fixtures/mesh/announcement-of.ts'
import { configOf, startedRunner } from '../../fixtures/runner/runners.ts'

const NEVER = new AbortController().signal
const DROP: Verdict = { run: false, redirect: false, reasons: [{ rule: 'mine', outcome: 'fail', message: 'no' }] }
const PASS: Verdict = { run: false, redirect: true, reasons: [{ rule: 'mine', outcome: 'pass', message: 'on' }] }

/** A node to which no hub and no root has said anything. */
const NONE: ReplaySide['beliefs'] = { factsOf: () => ({ attestations: [], quorum: null, inTree: false, frozen: [] }) }

/** Pages of services as a journal would bring them. */
function journaledPages(count: number, page = 10): JournaledService[][] {
  const signer = newSigner()
  const services = Array.from({ length: count }, (_, number) => {
    const clock = manualClock(1_700_000_000_000 + number * 60_000)
    const { announcement } = announcementOf(signer, { clock, name: `name-${number}` })
    const { id, bytes } = announcement.signed
    return { id: id.toString(), body: bytes, receivedAt: clock.now() + 250, depth: number % 4 }
  })
  return Array.from({ length: Math.ceil(count / page) }, (_, at) => services.slice(at * page, (at + 1) * page))
}

function side(decide: (service: ReceivedService, snapshot: RunnerSnapshot) => Verdict | Promise<Verdict>): ReplaySide {
  const facts = emptyNode(configOf(), { own: 'me', executors: [{ name: 'docker' }] })
  return { host: { decide: async (service, snapshot) => decide(service, snapshot) }, facts, beliefs: NONE }
}

const passing = side(() => PASS)

async function play(pages: Iterable<JournaledService[]>, inForce: ReplaySide, candidate: ReplaySide, signal = NEVER) {
  const changes: ReplayChange[] = []
  const asked: number[] = []
  const summary = await replay(
    { pages, inForce, candidate, textOf: formatAddress },
    { signal, onChange: (change) => changes.push(change), onProgress: (count) => asked.push(count) },
  )
  return { summary, changes, asked }
}

test('a replay: asks both about every service, at the second at which it came, and tells what differs', async () => {
  const seen: [string, number, number, string][] = []
  const inForce = side((service, { now, depth, own }) => {
    seen.push([service.name, now, depth, own])
    return PASS
  })
  const candidate = side(({ name }) => (name.endsWith('3') ? DROP : PASS))
  const { summary, changes, asked } = await play(journaledPages(25), inForce, candidate)
  expect(seen).toHaveLength(25)
  expect(seen[7]).toEqual(['name-7', 1_700_000_420, 3, 'me'])
  expect(summary).toMatchObject({ asked: 25, changed: 3, rules: [{ rule: 'mine', count: 3 }] })
  expect(changes.map(({ name, from, to }) => [name, from, to])).toEqual(
    ['name-3', 'name-13', 'name-23'].map((name) => [name, 'redirected', 'refused']),
  )
  expect(asked).toEqual([10, 20, 25])
})

test('a replay: tells each what its own node would have believed then, of the code, the author and the staples', async () => {
  const signer = newSigner()
  const clock = manualClock(1_700_000_000_000)
  const [statement, credential] = [new Uint8Array([1]), new Uint8Array([2])]
  const { announcement } = announcementOf(signer, { clock, statements: [statement], credentials: [credential] })
  const { id, bytes } = announcement.signed
  const page = [{ id: id.toString(), body: bytes, receivedAt: clock.now(), depth: 0 }]
  const asked: unknown[] = []
  const believing = (inTree: boolean): ReplaySide['beliefs'] => ({
    factsOf({ code, author, staples }, at) {
      asked.push([code.toString(), author, staples, at])
      return { attestations: [], quorum: null, inTree, frozen: [] }
    },
  })
  const byTree = side((_service, { inTree }) => (inTree ? PASS : DROP))
  const [out, within] = [false, true].map((inTree) => ({ ...byTree, beliefs: believing(inTree) })) as [
    ReplaySide,
    ReplaySide,
  ]
  const { changes } = await play([page], out, within)
  expect(changes).toMatchObject([{ from: 'refused', to: 'redirected' }])
  const question = [ANNOUNCED_CODE, addressBytes(signer.address), [statement, credential], 1_700_000_000]
  expect(asked).toEqual([question, question])
})

test('a replay: of the same policy differs nowhere; of nothing it is empty', async () => {
  const { summary } = await play(journaledPages(12), passing, passing)
  expect(summary).toMatchObject({ asked: 12, changed: 0, kinds: [] })
  const dropping = side(() => DROP)
  expect((await play([], passing, dropping)).summary.asked).toBe(0)
})

test('a replay: a runner that fails at times is a finding; one that never answers ends it', async () => {
  const fail = () => {
    throw new RunnerError('threw', 'the runner threw it')
  }
  const moody = side(({ name }) => (/[13579]$/.test(name) ? fail() : PASS))
  const { summary, changes } = await play(journaledPages(20), passing, moody)
  expect(summary).toMatchObject({ changed: 10, candidate: { failed: 10, redirected: 10 } })
  expect(changes[0]).toMatchObject({ to: 'failed', failure: 'the runner threw it', rules: ['runner'] })
  const useless = play(journaledPages(20), passing, side(fail))
  await expect(useless).rejects.toThrow(RunnerUnusableError)
  await expect(useless).rejects.toThrow(
    /candidate's runner failed on each of the first 5 services: the runner threw it/,
  )
})

test('a replay: reads no further than it can ask, and stops when it is aborted', async () => {
  let read = 0
  function* endless(): Generator<JournaledService[]> {
    const [page = []] = journaledPages(10)
    for (;;) {
      read++
      yield page
    }
  }
  const stop = new AbortController()
  const hanging = side(() => new Promise<Verdict>(() => {}))
  const playing = play(endless(), passing, hanging, stop.signal)
  await new Promise((resolve) => setImmediate(resolve))
  expect(read).toBeLessThanOrEqual(3)
  stop.abort(new Error('enough'))
  await expect(playing).rejects.toThrow('enough')
  await expect(play(endless(), passing, passing, stop.signal)).rejects.toThrow('enough')
})

test('a replay: goes through the real runner host', async () => {
  const andromeda = `export { default } from 'thundercloud/andromeda'`
  const strict = configOf({ DESC_MAX_LEN: 3 })
  await using before = await startedRunner(andromeda)
  await using after = await startedRunner(andromeda, { config: strict })
  const facts = { own: 'me', executors: [{ name: 'docker' as const }] }
  const { summary, changes } = await play(
    journaledPages(40),
    { host: before.host, facts: emptyNode(configOf(), facts), beliefs: NONE },
    { host: after.host, facts: emptyNode(strict, facts), beliefs: NONE },
  )
  const candidate = { refused: 40, failed: 0 }
  expect(summary).toMatchObject({ asked: 40, inForce: { refused: 0, failed: 0 }, candidate })
  expect(changes.every(({ rules }) => rules.includes('desc-length'))).toBe(true)
})

const LIMITS = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 0, pids: 1 }
const GRANT: Grant = { executor: 'host', ...LIMITS, network: { mode: 'none' } }
const reason = (rule: string, outcome: Reason['outcome'], warned?: 'fail') => ({ rule, outcome, message: rule, warned })
const NOTHING = { run: false, redirect: false, reasons: [] } as const
const said = (verdict: Partial<Verdict>): Answer => ({ verdict: { ...NOTHING, ...verdict } })
const runs = (change: Partial<Verdict> = {}) => said({ run: GRANT, reasons: [reason('trust', 'pass')], ...change })

test.each<[Answer, string]>([
  [runs(), 'run'],
  [said({ park: [{ on: 'capacity' }], redirect: true }), 'parked'],
  [said({ park: [], redirect: true }), 'redirected'],
  [said({}), 'refused'],
  [{ failure: 'it threw' }, 'failed'],
])('two verdicts: are named in one word (%#)', (answer, word) => expect(outcomeOf(answer)).toBe(word))

test('two verdicts: that say the same are no difference, whatever their words', () => {
  expect(differenceOf(runs(), runs({ reasons: [reason('trust', 'pass'), reason('new', 'pass')] }))).toBeUndefined()
  expect(differenceOf({ failure: 'a' }, { failure: 'b' })).toBeUndefined()
})

test('two verdicts: name the rules that changed their mind, and only those', () => {
  const refused = said({ reasons: [reason('keywords', 'fail'), reason('trust', 'fail'), reason('limits', 'pass')] })
  const before = runs({ reasons: [reason('keywords', 'pass'), reason('trust', 'pass')] })
  expect(differenceOf(before, refused)).toEqual({ from: 'run', to: 'refused', rules: ['keywords', 'trust'] })
  const still = said({ redirect: true, reasons: [reason('trust', 'fail')] })
  expect(differenceOf(refused, still)).toEqual({ from: 'refused', to: 'redirected', rules: ['keywords'] })
  const deferred = said({ park: [{ on: 'capacity' }], reasons: [reason('trust', 'defer')] })
  expect(differenceOf(still, deferred)?.rules).toEqual(['trust'])
  // one rule may give several reasons: that one of them fails is what counts
  const both = said({ reasons: [reason('limits', 'fail'), reason('limits', 'defer'), reason('trust', 'fail')] })
  const one = said({ redirect: true, reasons: [reason('limits', 'defer'), reason('limits', 'fail')] })
  expect(differenceOf(both, one)?.rules).toEqual(['trust'])
})

test('two verdicts: with the same rules in the way blame the first; a failed runner is to blame itself', () => {
  const one = said({ reasons: [reason('a', 'fail'), reason('b', 'fail')] })
  expect(differenceOf(one, said({ ...one.verdict, redirect: true }))?.rules).toEqual(['a'])
  expect(differenceOf(one, { failure: 'it threw' })).toEqual({ from: 'refused', to: 'failed', rules: ['runner'] })
})

test('two verdicts: of one word can still differ in their terms', () => {
  expect(differenceOf(runs(), runs({ redirect: true }))).toMatchObject({ from: 'run', to: 'run', terms: 'redirect' })
  expect(differenceOf(runs(), runs({ run: { ...GRANT, memoryBytes: 2 } }))).toMatchObject({ terms: 'grant' })
  const parked = (on: 'capacity' | 'policy') => said({ park: [{ on }] })
  expect(differenceOf(parked('capacity'), parked('policy'))).toMatchObject({ terms: 'conditions' })
})

test('replay counters: count changes by kind and by rule, and warnings once for each service', () => {
  const counters = createReplayCounters()
  const warning = runs({ reasons: [reason('price', 'pass', 'fail'), reason('price', 'pass', 'fail')] })
  for (let count = 0; count < 3; count++) counters.add({ inForce: 'run', candidate: 'refused' }, warning.verdict)
  counters.add({ inForce: 'run', candidate: 'run' }, undefined)
  counters.change({ from: 'run', to: 'parked', rules: ['trust'] })
  counters.change({ from: 'run', to: 'refused', rules: ['trust', 'limits'] })
  counters.change({ from: 'run', to: 'refused', rules: ['trust'] })
  const summary = counters.summary()
  expect(summary).toMatchObject({ asked: 4, changed: 3, warned: [{ rule: 'price', count: 3 }] })
  expect(summary.kinds.map(({ to, count }) => [to, count])).toEqual([
    ['refused', 2],
    ['parked', 1],
  ])
  expect(summary.rules).toEqual([
    { rule: 'trust', count: 3 },
    { rule: 'limits', count: 1 },
  ])
  expect([summary.inForce.run, summary.candidate.refused, summary.candidate.run]).toEqual([4, 3, 1])
})
