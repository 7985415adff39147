import { InputError } from '../../base/errors.ts'
import type { Engine } from '../types.ts'
import type { Scenario } from './scenario.ts'

type Limit = readonly [problem: string | undefined, remedy: string]

/** Throws where a scenario asks for something that an engine does not have: it would be left out in silence. */
export function checkSupported(scenario: Scenario, engine: Engine['name']): void {
  const limits = engine === 'virtual' ? ofVirtual(scenario) : ofSimulated(scenario)
  for (const [problem, remedy] of limits)
    if (problem !== undefined) throw new InputError(`${problem}, which the ${engine} engine does not have; ${remedy}`)
}

function ofVirtual({ groups, attackers }: Scenario): Limit[] {
  const custom = groups.find(({ runner }) => runner !== 'andromeda')
  return [
    [custom && `groups: ${custom.name} has a runner of its own`, 'give it the runner "andromeda"'],
    [attackers.length > 0 ? 'attackers are asked for' : undefined, 'leave them out'],
  ]
}

function ofSimulated({ groups, attackers, links, churn, partitions, instructions, tickets }: Scenario): Limit[] {
  const custom = groups.find(({ runner }) => runner !== 'andromeda')
  const index = instructions.findIndex((instruction) => instruction.do !== 'publish')
  const uncertain = (['jitterMs', 'loss', 'drop'] as const).find((key) => links[key] > 0)
  const other = 'use the virtual engine'
  return [
    [custom && `groups: ${custom.name} has a runner of its own`, 'give it the runner "andromeda"'],
    [attackers.length > 0 ? 'attackers are asked for' : undefined, 'leave them out'],
    [uncertain && `links.${uncertain} is ${links[uncertain]}`, other],
    [churn && 'churn is asked for', other],
    [partitions.length > 0 ? 'partitions are asked for' : undefined, other],
    [index < 0 ? undefined : `instructions[${index}].do is "${instructions[index]?.do}"`, other],
    [tickets ? undefined : 'tickets is false', other],
  ]
}
