import { check } from '../../config/settings-error.ts'
import type { Scenario } from './scenario.ts'
import { scenarioKeys } from './schema.ts'

/** The same scenario with another seed. `option` is how a message calls it. */
export function withSeed(scenario: Scenario, seed: string, option: string): Scenario {
  return { ...scenario, seed: check(scenarioKeys.shape.seed, seed, option) }
}
