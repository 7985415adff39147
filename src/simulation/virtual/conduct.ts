import type { Plan } from '../plan/plan.ts'
import type { Scenario } from '../scenario/scenario.ts'

type Attacker = Scenario['attackers'][number]

/** Which nodes break the rules by now, and how. */
export interface Conduct {
  /** Undefined: it keeps the rules. */
  of(node: number): Attacker['kind'] | undefined
  /** The attackers with this index in the scenario begin. Answers which nodes did not attack before. */
  begin(attacker: number): readonly number[]
  /** Does one of the two keep from the other what it has? Those that surround a node tell it nothing, and pass nothing on for it. */
  hides(from: number, to: number): boolean
  perSecond(node: number): number
}

export function createConduct({ scenario, attackerOf }: Pick<Plan, 'scenario' | 'attackerOf'>): Conduct {
  const { attackers } = scenario
  const attackerAt = (node: number) => attackers[(attackerOf[node] as number) - 1]
  const begun = new Uint8Array(attackers.length)
  const eclipses = attackers.some(({ kind }) => kind === 'eclipse')
  const surrounds = (node: number, target: number) => {
    const attacker = attackerAt(node)
    return attacker?.kind === 'eclipse' && attacker.target === target && isBegun(node)
  }
  const isBegun = (node: number) => begun[(attackerOf[node] as number) - 1] === 1
  return {
    of: attackers.length === 0 ? () => undefined : (node) => (isBegun(node) ? attackerAt(node)?.kind : undefined),
    begin(attacker) {
      if (begun[attacker] === 1) return []
      begun[attacker] = 1
      return [...attackerOf.keys()].filter((node) => attackerOf[node] === attacker + 1)
    },
    hides: eclipses ? (from, to) => surrounds(from, to) || surrounds(to, from) : () => false,
    perSecond: (node) => attackerAt(node)?.perSecond ?? 0,
  }
}
