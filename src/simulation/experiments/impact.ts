import { InputError } from '../../base/errors.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** What a policy is called in the scenario in which some nodes have it. */
const CANDIDATE = 'candidate'

/** The same scenario, in which that share of each group has another policy; its runner stays. */
export function withPolicy(scenario: Scenario, policy: Readonly<Record<string, unknown>>, share: number): Scenario {
  const names = new Set(scenario.groups.map(({ name }) => name))
  const nameOf = (name: string) => {
    const candidate = scenario.groups.length === 1 ? CANDIDATE : `${name} (${CANDIDATE})`
    if (!names.has(candidate)) return candidate
    throw new InputError(`the scenario has a group ${JSON.stringify(candidate)} already; give it another name`)
  }
  const groups = scenario.groups.flatMap((group) => [
    ...(share < 1 ? [{ ...group, share: group.share * (1 - share) }] : []),
    { ...group, name: share < 1 ? nameOf(group.name) : group.name, share: group.share * share, policy },
  ])
  return { ...scenario, groups }
}
