import type { Scenario } from '../scenario/scenario.ts'
import { fastRandom, shuffled } from './random.ts'

/** Who each node is. */
export type Population = {
  /** index in the scenario's groups */
  readonly groupOf: Uint8Array
  /** index in the regions of the links; 0 where there are none */
  readonly regionOf: Uint8Array
  /** index in the scenario's attackers plus 1; 0 = an honest node */
  readonly attackerOf: Uint8Array
}

export function populate({ nodes, seed, groups, links, attackers }: Scenario): Population {
  const { latencyMs } = links
  const regions = 'regions' in latencyMs ? (latencyMs.shares ?? latencyMs.regions.map(() => 1)) : [1]
  const shares = groups.map(({ share }) => share)
  const attacking = attackers.map(({ share }) => share)
  const honest = Math.max(0, 1 - attacking.reduce((sum, share) => sum + share, 0))
  const attackerOf = deal(nodes, [honest, ...attacking], `${seed}/attackers`)
  // whoever is surrounded keeps the rules
  for (const { kind, target } of attackers) if (kind === 'eclipse') attackerOf[target] = 0
  return {
    groupOf: deal(nodes, shares, `${seed}/groups`),
    regionOf: deal(nodes, regions, `${seed}/regions`),
    attackerOf,
  }
}

/** So many of each kind as its share says, to the nearest whole node, in an order of chance. */
function deal(nodes: number, shares: readonly number[], seed: string): Uint8Array {
  const kinds = new Uint8Array(nodes)
  if (shares.length < 2) return kinds
  const total = shares.reduce((sum, share) => sum + share, 0)
  const order = shuffled(nodes, fastRandom(seed))
  let [sum, from] = [0, 0]
  for (const [kind, share] of shares.entries()) {
    sum += share
    const to = Math.round((nodes * sum) / total)
    for (let index = from; index < to; index++) kinds[order[index] as number] = kind
    from = to
  }
  return kinds
}
