import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Verdict } from '../../../../src/base/verdict.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { HubStatement, RunnerSnapshot } from '../../../../src/runner/contract.ts'
import { forAll } from '../../../fixtures/property.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'
import { facts, nodeOf, service, settings, statement } from './any.ts'
import { HUB, OTHER, said } from './table.ts'

const THIRD = '4TzBpMMftjm3WrV7hATnGd3CwiYijqE1NfnLXC3XF1de'
const ROOT = 'Dngw8rHeiXs5srFzi4MVS2y4aU7zff9SERLdaFWmyvTj'
const HUBS: Record<string, { WEIGHT: number }> = {
  [HUB]: { WEIGHT: 3 },
  [OTHER]: { WEIGHT: 1 },
  [THIRD]: { WEIGHT: 0 },
}
const runs = ({ run }: Verdict) => run !== false
const trusted = (node: RunnerSnapshot, { hub }: HubStatement) => Object.hasOwn(node.config.TRUSTED_HUBS, hub)
const inTime = (node: RunnerSnapshot, { issued, expires }: HubStatement) =>
  expires > node.now && issued <= node.now + 120
const adding = (node: RunnerSnapshot, ...words: HubStatement[]): RunnerSnapshot => ({
  ...node,
  attestations: [...node.attestations, ...words],
})

/** What becomes of a service, in one word, worked out apart from the rules. */
function expected(world: World): 'run' | 'parked' | 'dropped' | 'refused' {
  const { inTree, author, hubs, roots, quorum, frozen } = world
  const counted = hubs ? wordsOf(world) : []
  if (counted.some(([, verdict]) => verdict === 'unsafe')) return 'dropped'
  const safe = counted.map(([hub]) => hub)
  const weight = safe.reduce((sum, hub) => sum + (HUBS[hub]?.WEIGHT ?? 0), 0)
  const known = author === OWN || inTree || (hubs && safe.length >= quorum.HUBS && weight >= quorum.WEIGHT)
  const mayBeKnown = hubs || roots > 0
  const enough = !world.minFreeze || (hubs && frozen === 'enough')
  if (known && enough) return 'run'
  if ((!known && !mayBeKnown) || (world.minFreeze && !hubs)) return 'refused'
  return 'parked'
}

const CHOICES = {
  first: [undefined, 'safe', 'unsafe'],
  second: [undefined, 'safe', 'unsafe'],
  author: [OWN, STRANGER],
  inTree: [false, true],
  hubs: [false, true],
  roots: [0, 1],
  quorum: [
    { HUBS: 1, WEIGHT: 0 },
    { HUBS: 2, WEIGHT: 0 },
    { HUBS: 1, WEIGHT: 3 },
    { HUBS: 2, WEIGHT: 4 },
  ],
  frozen: ['none', 'too little', 'enough', 'of a stranger'],
  minFreeze: [false, true],
} as const
type World = { [Key in keyof typeof CHOICES]: (typeof CHOICES)[Key][number] }

/** Every combination of the choices. */
const worlds = Object.entries(CHOICES).reduce<object[]>(
  (all, [key, values]) => all.flatMap((world) => values.map((value) => ({ ...world, [key]: value }))),
  [{}],
) as World[]

/** What the two hubs say in it. */
function wordsOf({ first, second }: World): [string, 'safe' | 'unsafe'][] {
  const words = [[HUB, first] as const, [OTHER, second] as const]
  return words.flatMap(([hub, verdict]) => (verdict === undefined ? [] : [[hub, verdict]]))
}

const FROZEN: Record<World['frozen'], RunnerSnapshot['frozen']> = {
  none: [],
  'too little': [{ hub: HUB, chain: 'btc', amount: '9.999' }],
  enough: [{ hub: OTHER, chain: 'btc', amount: '10' }],
  'of a stranger': [{ hub: STRANGER, chain: 'btc', amount: '1000' }],
}

it('quorum, veto, tree and freeze together: come to what they should, in every combination', () => {
  const counts = new Map<string, number>()
  const nodes = new Map<string, RunnerSnapshot>()
  for (const world of worlds) {
    const { hubs, roots, quorum, minFreeze } = world
    const config = {
      ...(hubs && { TRUSTED_HUBS: HUBS, QUORUM: quorum }),
      TRUST_TREE: { ROOTS: { [ROOT]: { DEPTH: roots } } },
      PREFER_HOSTCHAINS: minFreeze ? { btc: { MIN_FREEZE: 10 } } : {},
    }
    const key = JSON.stringify(config)
    const bare = nodes.get(key) ?? snapshotOf(configOf(config))
    nodes.set(key, bare)
    const attestations = wordsOf(world).map(([hub, verdict]) => said(hub, verdict))
    const node = { ...bare, attestations, inTree: world.inTree, frozen: FROZEN[world.frozen] }
    const asked = serviceOf({ author: world.author, hostchains: ['btc'] })
    const verdict = andromeda(asked, node)
    const refused = verdict.redirect ? 'refused' : 'dropped'
    const word = runs(verdict) ? 'run' : verdict.park === undefined ? refused : 'parked'
    expect([word, world]).toEqual([expected(world), world])
    const on = verdict.park?.map((condition) => condition.on) ?? []
    const trust = verdict.reasons.some(({ rule, outcome }) => rule === 'trust' && outcome === 'defer')
    if (word === 'parked') {
      expect(on.includes('quorum')).toBe(trust && hubs)
      expect(on.includes('delegation')).toBe(trust && roots > 0)
    }
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  for (const word of ['run', 'parked', 'refused', 'dropped']) expect(counts.get(word)).toBeGreaterThan(50)
})

it('a statement more: never stops anything where it says safe, and comes from a hub that said nothing yet', () => {
  let helped = 0
  forAll(2000, [service, settings, facts, fc.constantFrom(HUB, OTHER, STRANGER)], (asked, chosen, known, hub) => {
    const node = nodeOf(chosen, known)
    const others = { ...node, attestations: node.attestations.filter((word) => word.hub !== hub) }
    const [before, after] = [andromeda(asked, others), andromeda(asked, adding(others, said(hub, 'safe')))]
    if (!runs(before) && runs(after)) helped++
    expect(runs(before) && !runs(after)).toBe(false)
  })
  expect(helped).toBeGreaterThan(0)
})

it('a statement more: never stops anything where it says safe, whatever its hub said before', () => {
  forAll(2000, [service, settings, facts, statement], (asked, chosen, known, word) => {
    const node = nodeOf(chosen, known)
    if (word.verdict !== 'safe' || !inTime(node, word)) return
    expect(runs(andromeda(asked, node)) && !runs(andromeda(asked, adding(node, word)))).toBe(false)
  })
})

it('a statement more: always drops where it says unsafe, is the last word of a trusted hub, and veto is enforced', () => {
  let dropped = 0
  forAll(1500, [service, settings, facts, statement], (asked, chosen, known, word) => {
    const node = nodeOf({ ...chosen, MODES: {} }, known)
    if (!trusted(node, word)) return
    const last = { ...word, verdict: 'unsafe', issued: node.now + 120, expires: node.now + 600 } as const
    const after = andromeda(asked, adding(node, last))
    expect(after).toMatchObject({ run: false, redirect: false })
    expect(after.park).toBeUndefined()
    dropped++
  })
  expect(dropped).toBeGreaterThan(200)
})

it('a statement more: never matters where its hub is not trusted, or its time is over or has not come', () => {
  let ignored = 0
  forAll(1500, [service, settings, facts, statement], (asked, chosen, known, word) => {
    const node = nodeOf(chosen, known)
    if (trusted(node, word) && inTime(node, word)) return
    expect(andromeda(asked, adding(node, word))).toEqual(andromeda(asked, node))
    ignored++
  })
  expect(ignored).toBeGreaterThan(200)
})

it('a delegation: that is taken away never lets anything run, and one that comes never stops anything', () => {
  let stopped = 0
  forAll(1500, [service, settings, facts], (asked, chosen, known) => {
    const node = nodeOf(chosen, known)
    const vouched = andromeda(asked, { ...node, inTree: true })
    const alone = andromeda(asked, { ...node, inTree: false })
    expect(runs(alone) && !runs(vouched)).toBe(false)
    if (runs(vouched) && !runs(alone)) stopped++
  })
  expect(stopped).toBeGreaterThan(0)
})
