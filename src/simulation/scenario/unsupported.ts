import { InputError } from '../../base/errors.ts'
import type { Engine } from '../types.ts'
import { ATTACKER_KINDS } from './instruction-schema.ts'
import type { Scenario } from './scenario.ts'

type Limit = readonly [problem: string | undefined, remedy: string]

/** Kinds of attackers that the virtual engine has. The others are about what it has no model of: code, hubs, the DHT. */
const VIRTUAL_ATTACKERS: readonly string[] = ATTACKER_KINDS.slice(0, ATTACKER_KINDS.indexOf('lying-provider'))

/**
 * Throws where a scenario asks for something that an engine does not have: it would be left out in silence. `file` is how the
 * message calls the scenario, where it was read from a file.
 */
export function checkSupported(scenario: Scenario, engine: Engine['name'], file?: string): void {
  const limits = engine === 'virtual' ? ofVirtual(scenario) : ofSimulated(scenario)
  for (const [problem, remedy] of limits)
    if (problem !== undefined)
      throw new InputError(
        `${file === undefined ? '' : `${file}: `}${problem}, which the ${engine} engine does not have; ${remedy}`,
      )
}

function ofVirtual({ groups, attackers, crashes, dht, instructions }: Scenario): Limit[] {
  const update = instructions.findIndex(({ do: what }) => what === 'update')
  const index = attackers.findIndex(({ kind }) => !VIRTUAL_ATTACKERS.includes(kind))
  return [
    runnerOfIts(groups),
    [
      index < 0 ? undefined : `attackers[${index}].kind is "${attackers[index]?.kind}"`,
      `it has ${VIRTUAL_ATTACKERS.join(', ')}`,
    ],
    [update < 0 ? undefined : `instructions[${update}].do is "update"`, 'use the simulated engine'],
    [crashes.length > 0 ? 'crashes are asked for' : undefined, 'use the simulated engine'],
    [dht ? 'dht is true' : undefined, 'leave it out, or use the simulated engine'],
  ]
}

function ofSimulated({ groups, attackers, links, tickets, scoring }: Scenario): Limit[] {
  const other = 'use the virtual engine'
  return [
    runnerOfIts(groups),
    [attackers.length > 0 ? 'attackers are asked for' : undefined, other],
    [links.drop > 0 ? `links.drop is ${links.drop}` : undefined, 'use links.loss, or the virtual engine'],
    [tickets ? undefined : 'tickets is false', other],
    [scoring ? undefined : 'scoring is false', other],
  ]
}

function runnerOfIts(groups: Scenario['groups']): Limit {
  const custom = groups.find(({ runner }) => runner !== 'andromeda')
  return [custom && `groups: ${custom.name} has a runner of its own`, 'give it the runner "andromeda"']
}
