import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_REASON_LENGTH, MAX_REASONS } from '../../../../protocols/limits.ts'
import type { Verdict } from '../../../../src/base/verdict.ts'
import { PHYSICAL_RULES, RULE_NAMES } from '../../../../src/config/rule-names.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService } from '../../../../src/runner/contract.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { verdictSchema } from '../../../../src/runner/verdict-schema.ts'
import { isWellFormedVerdict } from '../../../../src/runner/well-formed-verdict.ts'
import { forAll } from '../../../fixtures/property.ts'
import { facts, nodeOf, service, settings } from './any.ts'
import { followNeeds, stricter } from './follow-needs.ts'
import { NOTHING_HELPS } from './table.ts'

const runs = ({ run }: Verdict) => run !== false

/** What decides one case in several hundred may not be among the first: more are drawn until it was met. */
function assertUntil<T>(property: fc.IProperty<T>, numRuns: number, met: () => boolean): void {
  for (let round = 0; round === 0 || (!met() && round < 20); round++) fc.assert(property, { numRuns })
}

it('a verdict of Andromeda: is a verdict, has a reason of each rule, and tells what would help or that nothing does', () => {
  let [ran, parked, evicted] = [0, 0, 0]
  forAll(2000, [service, settings, facts], (asked, chosen, known) => {
    const verdict = andromeda(asked, nodeOf(chosen, known))
    const read: unknown = JSON.parse(JSON.stringify(verdict))
    expect(read).toEqual(verdict)
    expect(verdictSchema.safeParse(read)).toEqual({ success: true, data: verdict })
    expect(isWellFormedVerdict(read)).toBe(!/[^ -~]/.test(JSON.stringify(read)))
    expect(verdict.reasons.length).toBeLessThanOrEqual(MAX_REASONS)
    expect(RULE_NAMES.filter((name) => verdict.reasons.every(({ rule }) => rule !== name))).toEqual([])
    expect(runs(verdict)).toBe(verdict.reasons.every(({ outcome }) => outcome === 'pass'))
    if (runs(verdict)) ran++
    if (verdict.park !== undefined) parked++
    if (verdict.evict !== undefined) evicted++
    if (verdict.reasons.some(({ outcome }) => outcome === 'fail')) expect(verdict.park).toBeUndefined()
    for (const { outcome, needs, message, warned, rule } of verdict.reasons) {
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(MAX_REASON_LENGTH)
      expect(Buffer.byteLength(needs?.value ?? '')).toBeLessThanOrEqual(MAX_REASON_LENGTH)
      expect(message).not.toMatch(/[\u202e\n]/)
      if (outcome !== 'pass' && needs === undefined) expect(message).toMatch(NOTHING_HELPS)
      if (warned !== undefined)
        expect([outcome, chosen.MODES]).toEqual(['pass', expect.objectContaining({ [rule]: 'warn' })])
    }
  })
  for (const count of [ran, parked, evicted]) expect(count).toBeGreaterThan(5)
})

it('a verdict of Andromeda: does not depend on the order of keys, of lists that are sets, or of arrival', () => {
  forAll(1000, [service, settings, facts], (asked, chosen, known) => {
    const node = nodeOf(chosen, known)
    const turned = { ...node, config: reversed(node.config), ...reversedLists(known) } as RunnerSnapshot
    expect(Object.keys(turned.config)).not.toEqual(Object.keys(node.config))
    expect(andromeda(withSetsReversed(asked), turned)).toEqual(andromeda(asked, node))
  })
})

it('a verdict of Andromeda: does not depend on the clock, but for what rests on statements of hubs', () => {
  let changed = 0
  const later = fc.integer({ min: -300, max: 300 })
  const property = fc.property(service, settings, facts, later, (asked, chosen, known, seconds) => {
    const node = nodeOf(chosen, known)
    const then = { ...node, now: node.now + seconds }
    const others = ({ reasons }: Verdict) =>
      reasons.filter(({ rule }) => !['trust', 'veto', 'redirection', 'dormitory'].includes(rule))
    const [first, second] = [andromeda(asked, node), andromeda(asked, then)]
    expect(others(second)).toEqual(others(first))
    if (runs(first) !== runs(second)) changed++
    const silent = { attestations: [] }
    expect(andromeda(asked, { ...then, ...silent })).toEqual(andromeda(asked, { ...node, ...silent }))
  })
  assertUntil(property, 1000, () => changed > 0)
  expect(changed).toBeGreaterThan(0)
})

it.each(Object.entries(stricter))(
  'a verdict of Andromeda: never runs more under a stricter configuration: %s',
  (_key, { before, after }) => {
    let stopped = 0
    const property = fc.property(service, settings, facts, (asked, chosen, known) => {
      const loose = andromeda(asked, nodeOf({ ...chosen, ...before?.(chosen) }, known))
      const strict = andromeda(asked, nodeOf({ ...chosen, ...after(chosen) }, known))
      if (runs(loose) && !runs(strict)) stopped++
      expect(runs(strict) && !runs(loose)).toBe(false)
    })
    assertUntil(property, 1500, () => stopped > 0)
    expect(stopped).toBeGreaterThan(0)
  },
)

it('a verdict of Andromeda: never redirects more under a stricter configuration', () => {
  const order = ['never', 'unless-run', 'always']
  forAll(100, [service, settings, facts], (asked, chosen, known) => {
    const redirected = order.map((REDIRECT) => andromeda(asked, nodeOf({ ...chosen, REDIRECT }, known)).redirect)
    expect(redirected).toEqual(redirected.toSorted())
    expect(andromeda(asked, nodeOf({ ...chosen, REDIRECTION_DEPTH: 0 }, known)).redirect).toBe(false)
  })
})

it('a verdict of Andromeda: never stops anything by a rule that only warns', () => {
  forAll(1000, [service, settings, facts, fc.constantFrom(...RULE_NAMES)], (asked, chosen, known, rule) => {
    if (PHYSICAL_RULES.has(rule)) return
    const warned = andromeda(asked, nodeOf({ ...chosen, MODES: { [rule]: 'warn' } }, known))
    const enforced = andromeda(asked, nodeOf({ ...chosen, MODES: {} }, known))
    const of = (verdict: Verdict) => verdict.reasons.filter((reason) => reason.rule === rule)
    expect(of(warned).map(({ warned: would, outcome }) => [outcome, would ?? 'pass'])).toEqual(
      of(enforced).map(({ outcome }) => ['pass', outcome]),
    )
    if (runs(enforced)) expect(warned).toEqual(enforced)
  })
})

it('a verdict of Andromeda: becomes "run" by doing what all needs say, or says that nothing helps', () => {
  let [helped, hopeless] = [0, 0]
  forAll(2000, [service, settings, facts], (asked, chosen, known) => {
    const { verdict, rounds } = followNeeds(asked, nodeOf(chosen, known))
    const stuck = verdict.reasons.filter(({ outcome }) => outcome !== 'pass')
    if (runs(verdict) && rounds > 0) helped++
    if (!runs(verdict)) {
      hopeless++
      expect(stuck.filter(({ needs, message }) => needs === undefined && NOTHING_HELPS.test(message))).not.toEqual([])
    }
  })
  expect(helped).toBeGreaterThan(200)
  expect(hopeless).toBeGreaterThan(5)
})

it('a verdict of Andromeda: ranks more reward never lower, and the same whatever becomes of the service', () => {
  const perHour = fc
    .bigInt({ min: 0n, max: 10n ** 20n })
    .map((parts) => `${parts / 1000n}.${String(parts % 1000n).padStart(3, '0')}`)
  forAll(1000, [service, settings, facts, perHour, perHour], (asked, chosen, known, one, two) => {
    const rank = (reward: string, node = nodeOf(chosen, known)) =>
      andromeda({ ...asked, reward: { asset: 'kly', perHour: reward } }, node).rank as number
    const [less, more] = Number(one) <= Number(two) ? [one, two] : [two, one]
    if (Number(less) < Number(more)) expect(rank(more)).toBeGreaterThanOrEqual(rank(less))
    expect(rank(one, nodeOf({ ...chosen, LIMITS: {}, PREFER_TOOLCHAIN: {} }))).toBe(rank(one))
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.toReversed()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

function reversedLists({ attestations = [], frozen = [], running = [] }: Partial<RunnerSnapshot>): object {
  return { attestations: attestations.toReversed(), frozen: frozen.toReversed(), running: running.toReversed() }
}

/** Sources are tried in their order; the other lists of a service have none. */
function withSetsReversed(asked: ReceivedService): ReceivedService {
  const { keywords, toolchain, symbiotes, hostchains, network } = asked
  return {
    ...asked,
    keywords: keywords.toReversed(),
    toolchain: toolchain.toReversed(),
    symbiotes: symbiotes.toReversed(),
    hostchains: hostchains.toReversed(),
    network: network.toReversed(),
  }
}
