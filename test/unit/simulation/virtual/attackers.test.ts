import { expect, test } from 'vitest'
import type { SimEvent } from '../../../../src/simulation/events.ts'
import { NONE } from '../../../../src/simulation/tables.ts'
import { reached, runVirtual, sum } from './fixtures.ts'

const named = <Name extends SimEvent['event']>(list: readonly SimEvent[], name: Name) =>
  list.filter((event): event is Extract<SimEvent, { event: Name }> => event.event === name)

/** A line of ten nodes, 0 to 9. */
const LINE = {
  nodes: 10,
  topology: { kind: 'edges', edges: Array.from({ length: 9 }, (_, node) => [node, node + 1]) },
}
const publish = { at: 1, do: 'publish', from: { node: 0 } }
const MANY = { nodes: 200, instructions: [publish] }

test('spammers are found out by their neighbours and excluded, where gossip scores its peers', async () => {
  const attackers = [{ kind: 'spam', share: 0.1, perSecond: 10, at: 2 }]
  const scored = await runVirtual({ ...MANY, attackers })
  const unscored = await runVirtual({ ...MANY, attackers, scoring: false })
  const rejected = named(scored.list, 'rejected')
  const spammers = new Set(rejected.map(({ from }) => from))
  expect(spammers.size).toBe(20)
  expect(Math.min(...rejected.map(({ ms }) => ms))).toBeGreaterThan(2000)
  // ten messages of each neighbour, and two more of each that comes back on probation
  const graylisted = named(scored.list, 'graylisted')
  expect(graylisted.length).toBeGreaterThan(100)
  for (const { node, peer } of graylisted) expect([spammers.has(node), spammers.has(peer)]).toContain(true)
  for (const { peer } of graylisted) expect(spammers.has(peer)).toBe(true)
  expect(named(unscored.list, 'graylisted')).toEqual([])
  expect(named(unscored.list, 'rejected').length).toBeGreaterThan(20 * rejected.length)
  // an attacker that keeps no other rule is cut off, and everybody else has the service
  const table = scored.tables[0] as (typeof scored.tables)[0]
  for (let node = 0; node < 200; node++) if (!spammers.has(node)) expect(table.deliveredMs[node]).not.toBeNaN()
})

test('nodes that keep the depth carry a service further than its author wanted', async () => {
  const instructions = [{ ...publish, redirectionDepth: 2 }]
  const honest = await runVirtual({ ...LINE, instructions })
  expect(reached(honest.tables[0] as never)).toBe(4)
  const kept = await runVirtual({ ...LINE, instructions, attackers: [{ kind: 'depth-kept', share: 1 }] })
  expect(reached(kept.tables[0] as never)).toBe(10)
})

test('nodes that lower the depth to nothing end its way at their neighbours', async () => {
  const zeroed = await runVirtual({ ...LINE, instructions: [publish], attackers: [{ kind: 'depth-zeroed', share: 1 }] })
  const [table] = zeroed.tables as [(typeof zeroed.tables)[0]]
  // its publisher keeps the rules for what is its own
  expect([...table.bestDepth].slice(0, 4)).toEqual([8, 8, 0, NONE])
})

test.each(['dropper', 'sybil'])('a %s has a service, and passes it on to nobody', async (kind) => {
  const { list, tables } = await runVirtual({ ...MANY, attackers: [{ kind, share: 0.3 }] })
  const redirecting = new Set(named(list, 'emitted').map(({ node }) => node))
  expect(redirecting.size).toBeLessThanOrEqual(141)
  expect(reached(tables[0] as never)).toBeGreaterThan(150)
  const all = await runVirtual({
    ...LINE,
    nodes: 10,
    instructions: [publish],
    attackers: [{ kind: 'dropper', share: 1 }],
  })
  expect(reached(all.tables[0] as never)).toBe(2)
})

test('sybils are neighbours of many more nodes than others', async () => {
  const sent = async (attackers: object[]) => sum((await runVirtual({ ...MANY, attackers })).traffic.sentBytes)
  const [without, with_] = [await sent([]), await sent([{ kind: 'sybil', share: 0.3, at: 60 }])]
  expect(with_).toBeGreaterThan(1.2 * without)
})

test('a node that attackers surround gets nothing, and nothing of it gets out, until they begin', async () => {
  const attackers = [{ kind: 'eclipse', share: 0.1, target: 7, at: 10 }]
  const instructions = [publish, { ...publish, at: 20 }, { ...publish, at: 20, from: { node: 7 } }]
  const { tables, list } = await runVirtual({ ...MANY, attackers, instructions })
  const [before, after, own] = tables.map(({ deliveredMs }) => deliveredMs) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  expect(before[7]).not.toBeNaN()
  expect(after[7]).toBeNaN()
  expect([...after].filter(Number.isNaN)).toHaveLength(1)
  expect([...own].filter((ms) => !Number.isNaN(ms))).toHaveLength(1)
  expect(named(list, 'delivered').filter(({ node }) => node === 7)).toHaveLength(2)
})
