import { edgesOf } from '../plan/graph.ts'
import { buildTopology } from '../plan/topology.ts'
import type { Draft } from './generate.ts'

type Link = readonly [number, number]

/** Meshes that are tried, the smallest first. */
const COUNTS = [2, 3, 4, 5, 6, 8, 10, 12]

/** The same in new, small meshes of few links and of all. Nodes that the scenario names are named by other numbers. */
export function withFewerNodes(draft: Draft): Draft[] {
  const named = new Set<number>()
  renamed(draft, (node) => {
    named.add(node)
    return node
  })
  const places = [...named].sort((a, b) => a - b)
  return COUNTS.filter((nodes) => nodes < draft.nodes).flatMap((nodes) =>
    degreesOf(draft, nodes).map((degree) => ({
      ...renamed(draft, (node) => places.indexOf(node) % nodes),
      ...{ nodes, topology: { kind: 'random-regular', degree } as const },
    })),
  )
}

/** Where all are neighbours, they stay so: an invariant may need it. */
function degreesOf({ nodes: before, topology }: Draft, nodes: number): number[] {
  const complete = nodes - 1
  if (topology.kind === 'edges') return []
  if (topology.degree === before - 1) return [complete]
  const lowered = Math.max(1, Math.round((topology.degree * nodes) / before))
  return [...new Set([2, lowered, topology.degree])]
    .filter((degree) => degree < complete && degree >= 2 && (nodes * degree) % 2 === 0)
    .concat(complete)
}

/**
 * The same mesh with some of its nodes. One that is left out is gone with its links; or, with `merge`, it becomes one with the
 * nearest that is kept, and that has its links and its instructions.
 */
export function withNodes(draft: Draft, { merge }: { merge: boolean }) {
  const links = linksOf(draft)
  const items = Array.from({ length: draft.nodes }, (_, node) => node)
  const make = (kept: readonly number[]): Draft => {
    const own = new Map(kept.map((node, place) => [node, place]))
    const places = merge ? withNearest(own, links) : own
    const joined = links.flatMap(([from, to]) => {
      const [a, b] = [places.get(from), places.get(to)]
      return a === undefined || b === undefined || a === b ? [] : [a < b ? ([a, b] as const) : ([b, a] as const)]
    })
    const edges = [...new Map(joined.map((edge) => [edge.join(), edge])).values()]
    const nodes = kept.length
    const isComplete = edges.length === (nodes * (nodes - 1)) / 2
    return {
      // without a place a name of a node is left out, and it is no scenario
      ...renamed(draft, (node) => places.get(node)),
      ...{ nodes, topology: isComplete ? { kind: 'random-regular', degree: nodes - 1 } : { kind: 'edges', edges } },
    }
  }
  return { items, make }
}

function linksOf({ topology, nodes, seed }: Draft): readonly Link[] {
  if (topology.kind === 'edges') return topology.edges
  const none = { regionOf: new Uint8Array(nodes), attackerOf: new Uint8Array(nodes) }
  return edgesOf(buildTopology({ topology, nodes, seed, attackers: [] }, none))
}

/** Each other node has the place of the one with a place that is nearest. */
function withNearest(own: ReadonlyMap<number, number>, links: readonly Link[]): Map<number, number> {
  const places = new Map(own)
  // a map hands out what is added while it is gone through
  for (const [node, place] of places) {
    for (const [a, b] of links) {
      const other = a === node ? b : b === node ? a : node
      if (!places.has(other)) places.set(other, place)
    }
  }
  return places
}

/** With other numbers for the nodes that it names. */
function renamed(draft: Draft, numberOf: (node: number) => number | undefined): Draft {
  const isNode = (key: string, value: unknown): value is number =>
    (key === 'node' || key === 'hub') && typeof value === 'number'
  const inAll = <T>(list: readonly T[]): T[] =>
    JSON.parse(JSON.stringify(list), (key, value: unknown) => (isNode(key, value) ? numberOf(value) : value))
  const { instructions, partitions, crashes } = draft
  return {
    ...draft,
    ...{ instructions: inAll(instructions), partitions: inAll(partitions), crashes: inAll(crashes) },
  }
}
