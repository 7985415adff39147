import { InputError } from '../../base/errors.ts'
import type { Engine } from '../types.ts'
import { ATTACKER_KINDS } from './instruction-schema.ts'
import type { Scenario } from './scenario.ts'

type Limit = readonly [problem: string | undefined, remedy: string]

/** Kinds of attackers that the virtual engine has. The others are about what it has no model of: code, hubs, the DHT. */
const VIRTUAL_ATTACKERS: readonly string[] = ATTACKER_KINDS.slice(0, ATTACKER_KINDS.indexOf('lying-provider'))

/** Nodes of one process crash together. `processes` = undefined: it is not known yet how many there are. */
type Processes = number | undefined

/**
 * Throws where a scenario asks for something that an engine does not have: it would be left out in silence. `file` is how the
 * message calls the scenario, where it was read from a file.
 */
export function checkSupported(
  scenario: Scenario,
  engine: Engine['name'],
  file?: string,
  processes: Processes = undefined,
): void {
  const limits = {
    virtual: () => ofVirtual(scenario),
    simulated: () => ofWhole(scenario),
    live: () => [...ofWhole(scenario), ...ofLive(scenario, processes)],
  }[engine]()
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

function ofWhole({ groups, attackers, links, tickets, scoring }: Scenario): Limit[] {
  const other = 'use the virtual engine'
  return [
    runnerOfIts(groups),
    [attackers.length > 0 ? 'attackers are asked for' : undefined, other],
    [links.drop > 0 ? `links.drop is ${links.drop}` : undefined, 'use links.loss, or the virtual engine'],
    [tickets ? undefined : 'tickets is false', other],
    [scoring ? undefined : 'scoring is false', other],
  ]
}

function ofLive({ nodes, crashes, churn, instructions }: Scenario, processes: Processes): Limit[] {
  const crash = instructions.findIndex((one) => one.do === 'leave' && one.crash)
  const asks =
    crash >= 0 ? `instructions[${crash}].crash is true` : (churn?.crash ?? 0) > 0 ? 'churn.crash is not 0' : ''
  const alone = processes !== undefined && processes >= nodes
  return [
    [crashes.length > 0 ? 'crashes at numbered points are asked for' : undefined, 'use the simulated engine'],
    [
      asks === '' || alone ? undefined : `${asks}, and several nodes share a process`,
      `use --processes ${nodes}, so that each node has a process of its own`,
    ],
  ]
}

function runnerOfIts(groups: Scenario['groups']): Limit {
  const custom = groups.find(({ runner }) => runner !== 'andromeda')
  return [custom && `groups: ${custom.name} has a runner of its own`, 'give it the runner "andromeda"']
}
