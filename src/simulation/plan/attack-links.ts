import type { Scenario } from '../scenario/scenario.ts'
import type { LinkList } from './graph.ts'
import type { FastRandom } from './random.ts'

/** Nodes that each sybil is connected with beside its neighbours: as many as fill a mesh of gossipsub, and some more. */
const SYBIL_LINKS = 16

/**
 * Links that attackers have beside those of the topology. Sybils dial nodes of chance. Those that surround a node take the
 * places of its neighbours, one each.
 */
export function addAttackLinks(
  links: LinkList,
  { nodes, attackers }: Pick<Scenario, 'nodes' | 'attackers'>,
  { attackerOf, random }: { attackerOf: Uint8Array; random: FastRandom },
): void {
  for (const [index, { kind, target }] of attackers.entries()) {
    const members = [...attackerOf.keys()].filter((node) => attackerOf[node] === index + 1)
    if (kind === 'sybil') {
      for (const node of members) for (let link = 0; link < SYBIL_LINKS; link++) links.add(node, random.int(nodes))
    }
    if (kind === 'eclipse') surround(links.ends(), members, target)
  }
}

/** The neighbours of the target are others from here on. */
function surround(ends: Int32Array, members: readonly number[], target: number): void {
  const surrounding = new Set(members)
  let next = 0
  for (let at = 0; at < ends.length && next < members.length; at++) {
    if (ends[at] !== target) continue
    const other = at ^ 1
    if (surrounding.has(ends[other] as number)) continue
    ends[other] = members[next++] as number
  }
}
