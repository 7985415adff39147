import fc from 'fast-check'
import { expect } from 'vitest'
import type { Signer } from '../../../../protocols/signature.ts'
import { signerOf } from '../../../../scripts/vectors/kit/kit.ts'
import { forAllAsync } from '../../../fixtures/property.ts'
import { delegate, NOW, own, subject, text } from '../fixtures.ts'
import { it, policyOf, sync, world } from '../world.ts'

const people = ['a', 'b', 'c', 'd', 'e'].map((name) => signerOf(`tree ${name}`))
const [a, b, c, d] = people as [Signer, Signer, Signer, Signer, Signer]

type Edge = { from: Signer; to: Signer; depth: number; expires: number; revoked: boolean }

/** Every path is walked: what the specification says, word by word. */
function bruteForce(edges: Edge[], roots: Map<Signer, number>, at: number): Set<Signer> {
  const found = new Set(roots.keys())
  const walk = (from: Signer, below: number) => {
    for (const edge of edges) {
      if (edge.from !== from || edge.revoked || edge.expires <= at || edge.depth >= below) continue
      found.add(edge.to)
      walk(edge.to, edge.depth)
    }
  }
  for (const [root, depth] of roots) walk(root, depth)
  return found
}

const anyEdge = fc.record({
  from: fc.constantFrom(...people, own),
  to: fc.constantFrom(...people, own),
  depth: fc.nat(4),
  expires: fc.constantFrom(NOW + 5, NOW + 86_400),
  revoked: fc.nat(9).map((n) => n === 0),
})

it('the trust tree: is what a search of all paths finds, whatever the order in which links arrived', async () => {
  await forAllAsync(
    60,
    [
      fc.uniqueArray(anyEdge, { maxLength: 14, selector: ({ from, to }) => `${text(from)} ${text(to)}` }),
      fc.option(fc.nat(4), { nil: undefined }),
      fc.nat(4),
    ],
    async (edges, ownDepth, depth) => {
      const links = edges.filter(({ from, to }) => from !== to)
      const ownRoot = ownDepth === undefined ? {} : { [text(own)]: { DEPTH: ownDepth } }
      const ROOTS = { [text(a)]: { DEPTH: depth }, ...ownRoot }
      await using here = world(policyOf({ TRUST_TREE: { ROOTS } }))
      const before = new Set<Signer>()
      for (const { from, to, depth, expires, revoked } of links)
        here.take(delegate(from, to, depth, { expires, ...(revoked && { revoked }) }))
      const roots = new Map([[own, ownDepth ?? 16]]).set(a, depth)
      for (const at of [NOW, NOW + 5]) {
        const wanted = bruteForce(links, roots, at)
        for (const one of [...people, own]) {
          expect(here.trust.factsOf(subject([], one)).inTree).toBe(wanted.has(one))
          const { asked } = here.trust.tree(text(one))
          expect(asked?.in).toBe(wanted.has(one))
          expect(asked?.path.at(-1)).toBe(wanted.has(one) ? text(one) : undefined)
          if (at === NOW && wanted.has(one)) before.add(one)
        }
        if (at === NOW) await here.clock.advance(5000)
      }
      // to revoke never adds anybody
      const first = links[0]
      if (first === undefined) return
      here.take(delegate(first.from, first.to, first.depth, { seq: 1, revoked: true }))
      for (const one of people) if (here.trust.factsOf(subject([], one)).inTree) expect(before).toContain(one)
    },
  )
})

it('the trust tree: is drawn with what each vouches for, and with what vouches for nothing', async () => {
  await using here = world(policyOf({ TRUST_TREE: { ROOTS: { [text(a)]: { DEPTH: 2 } } } }))
  here.take(delegate(a, b, 1), delegate(a, c, 2), delegate(b, d), delegate(a, d, 0, { revoked: true }))
  const { roots } = here.trust.tree()
  expect(roots.map(({ address, depth }) => `${address} ${depth}`)).toEqual([`${text(own)} 16`, `${text(a)} 2`])
  const leaf = { until: NOW + 86_400, branches: [], idle: [] }
  const below = [{ ...leaf, address: text(d), depth: 0 }]
  expect(roots[1]?.branches).toEqual([{ ...leaf, address: text(b), depth: 1, branches: below }])
  expect(roots[1]?.idle.toSorted((x, y) => (x.why < y.why ? -1 : 1))).toEqual([
    { address: text(d), why: 'it was revoked' },
    { address: text(c), why: 'its depth is 2, and the link above allows at most 1' },
  ])
})

it('the trust tree: says why an address is in or out', async () => {
  await using here = world(policyOf({ TRUST_TREE: { ROOTS: { [text(a)]: { DEPTH: 2 } } } }))
  const why = (one: Signer) => here.trust.tree(text(one)).asked
  expect(why(own)).toMatchObject({ in: true, why: `${text(own)} is this node's own address` })
  expect(why(a)).toMatchObject({ in: true, why: `${text(a)} is a root of TRUST_TREE`, path: [text(a)] })
  expect(why(d)?.why).toBe(`no known address of the tree vouches for ${text(d)}`)
  here.take(delegate(a, b, 1), delegate(b, c, 0, { expires: NOW + 60 }), delegate(b, d, 1))
  expect(why(c)).toEqual({
    address: text(c),
    in: true,
    why: `the root ${text(a)} vouches for ${text(c)} over 1 other, until 2026-02-02 02:41:00 UTC`,
    path: [text(a), text(b), text(c)],
  })
  expect(why(d)?.why).toBe(
    `the delegation from ${text(b)} to ${text(d)} does not count: its depth is 1, and the link above allows at most 0`,
  )
  await here.clock.advance(60_000)
  expect(why(c)?.why).toBe(
    `the delegation from ${text(b)} to ${text(c)} does not count: it expired at 2026-02-02 02:41:00 UTC`,
  )
  here.trust.take(delegate(a, b, 1, { seq: 1, revoked: true }), sync)
  expect(why(b)?.why).toBe(`the delegation from ${text(a)} to ${text(b)} does not count: it was revoked`)
  expect(why(d)?.why).toBe(
    `${text(b)} vouches for ${text(d)}, but is not in the tree itself: the delegation from ${text(a)} to ${text(b)} does not count: it was revoked`,
  )
  expect(() => here.trust.tree('nobody')).toThrow('is not an ed25519 (base58) or BLS12-381')
})

it('the trust tree: changes at the moment when a link ends', async () => {
  await using here = world(policyOf({ TRUST_TREE: { ROOTS: { [text(a)]: { DEPTH: 2 } } } }))
  here.trust.take(delegate(a, b, 1, { expires: NOW + 60 }), sync)
  expect(here.trust.factsOf(subject([], b)).inTree).toBe(true)
  const before = here.reported('trust:changed').length
  await here.clock.advance(60_000)
  expect(here.reported('trust:changed').slice(before)).toEqual([{ on: 'tree' }])
  expect(here.trust.factsOf(subject([], b)).inTree).toBe(false)
})

it('the trust tree: takes so many links of one delegate, and any number of a root', async () => {
  await using here = world(policyOf({ TRUST_TREE: { ROOTS: { [text(a)]: { DEPTH: 2 } } } }))
  here.trust.take(delegate(a, b, 1), sync)
  const many = Array.from({ length: 1025 }, (_, index) => signerOf(`tree many ${index}`))
  const taken = many.map((one) => here.trust.take(delegate(b, one), sync))
  expect(taken.filter((word) => word === 'new')).toHaveLength(1024)
  expect(taken.at(-1)).toBe('dropped')
  expect(here.trust.take(delegate(b, many[0] as Signer, 0, { seq: 1, revoked: true }), sync)).toBe('new')
  expect(here.trust.take(delegate(a, many[0] as Signer), sync)).toBe('new')
})
