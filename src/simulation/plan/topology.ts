import { InputError } from '../../base/errors.ts'
import type { Scenario, Topology } from '../scenario/scenario.ts'
import { addAttackLinks } from './attack-links.ts'
import { createLinkList, type Graph, graphOf, graphOfRings, type LinkList, reachable } from './graph.ts'
import type { Population } from './population.ts'
import { type FastRandom, fastRandom, shuffled } from './random.ts'

/** Throws where no way leads from some node to another. */
export function buildTopology(
  scenario: Pick<Scenario, 'topology' | 'nodes' | 'seed' | 'attackers'>,
  { regionOf, attackerOf }: Pick<Population, 'regionOf' | 'attackerOf'>,
): Graph {
  const { topology, nodes, seed, attackers } = scenario
  const random = fastRandom(`${seed}/topology`)
  if (attackers.length === 0 && topology.kind === 'random-regular' && isRegular(topology, nodes))
    return regularGraph(nodes, topology.degree, random)
  const links = linksOf(topology, nodes, random, regionOf)
  addAttackLinks(links, scenario, { attackerOf, random })
  const graph = graphOf(nodes, links.ends())
  const reached = reachable(graph)
  if (reached < nodes) {
    throw new InputError(
      `topology leaves the mesh in parts: from node 0 a way leads to ${reached} of ${nodes} nodes; give it more links`,
    )
  }
  return graph
}

/** A ring goes through all nodes: there is no need to look for a way. */
function isRegular({ degree }: { degree: number }, nodes: number): boolean {
  return degree >= 2 && nodes > 2 && degree !== nodes - 1
}

/** The same as of the links of `addRings`, in a fifth of the time. */
function regularGraph(nodes: number, degree: number, random: FastRandom): Graph {
  const rings = Array.from({ length: Math.floor(degree / 2) }, () => shuffled(nodes, random))
  return graphOfRings(nodes, rings, degree % 2 === 1 ? shuffled(nodes, random) : undefined)
}

function linksOf(topology: Topology, nodes: number, random: FastRandom, regionOf: Uint8Array): LinkList {
  const links = createLinkList(estimateOf(topology, nodes))
  const everyone = () => Int32Array.from({ length: nodes }, (_, index) => index)
  switch (topology.kind) {
    case 'random-regular':
      // rings share links: of a complete graph some would be missing
      if (topology.degree === nodes - 1) addAll(links, nodes)
      else addRings(links, everyone(), topology.degree, random)
      break
    case 'small-world':
      addSmallWorld(links, nodes, topology, random)
      break
    case 'scale-free':
      addScaleFree(links, nodes, topology.links, random)
      break
    case 'regions': {
      const local = 2 * Math.round((topology.degree * topology.local) / 2)
      for (const members of membersOf(regionOf)) addRings(links, members, local, random)
      addRings(links, everyone(), topology.degree - local, random)
      break
    }
    case 'edges':
      for (const [a, b] of topology.edges) links.add(a, b)
      break
  }
  return links
}

function addAll(links: LinkList, nodes: number): void {
  for (let a = 0; a < nodes; a++) for (let b = a + 1; b < nodes; b++) links.add(a, b)
}

function estimateOf(topology: Topology, nodes: number): number {
  if (topology.kind === 'edges') return topology.edges.length
  return nodes * ('links' in topology ? topology.links : (topology.degree + 1) / 2)
}

function membersOf(regionOf: Uint8Array): Int32Array[] {
  const members: number[][] = []
  for (const [node, region] of regionOf.entries()) {
    members[region] ??= []
    members[region].push(node)
  }
  return members.filter((list) => list !== undefined).map((list) => Int32Array.from(list))
}

/**
 * Rings through all members in an order of chance: two links a member each. An odd degree has pairs beside them. Rings that
 * run along the same link twice leave two members with one link less.
 */
function addRings(links: LinkList, members: Int32Array, degree: number, random: FastRandom): void {
  const count = members.length
  if (count < 2) return
  const member = (order: Int32Array, index: number) => members[order[index % count] as number] as number
  for (let ring = 0; ring < Math.floor(degree / 2); ring++) {
    const order = shuffled(count, random)
    for (let index = 0; index < count; index++) links.add(member(order, index), member(order, index + 1))
  }
  if (degree % 2 === 0) return
  const order = shuffled(count, random)
  for (let index = 0; index + 1 < count; index += 2) links.add(member(order, index), member(order, index + 1))
}

/** Watts and Strogatz. */
function addSmallWorld(
  links: LinkList,
  nodes: number,
  { degree, rewire }: { degree: number; rewire: number },
  random: FastRandom,
): void {
  for (let node = 0; node < nodes; node++) {
    for (let step = 1; step <= Math.floor(degree / 2); step++) {
      const other = random.fraction() < rewire ? random.int(nodes) : (node + step) % nodes
      links.add(node, other)
    }
  }
}

/** Barabási and Albert: who has many links gets more. */
function addScaleFree(links: LinkList, nodes: number, each: number, random: FastRandom): void {
  const first = Math.min(nodes, each + 1)
  for (let node = 1; node < first; node++) for (let other = 0; other < node; other++) links.add(node, other)
  for (let node = first; node < nodes; node++) {
    const ends = links.ends()
    const chosen = new Set<number>()
    while (chosen.size < each) chosen.add(ends[random.int(ends.length)] as number)
    for (const other of chosen) links.add(node, other)
  }
}
