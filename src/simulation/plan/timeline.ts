import type { Instruction, Scenario } from '../scenario/scenario.ts'
import type { Population } from './population.ts'
import { type FastRandom, fastRandom, shuffled } from './random.ts'

export type Publication = Extract<Instruction, { do: 'publish' }>

/** One thing that happens because the scenario says so. */
export type Action = { readonly ms: number } & (
  | {
      readonly do: 'publish'
      readonly service: number
      readonly node: number
      readonly of: Publication
      /** the service of which it is a new version */
      readonly replaces?: number
    }
  | { readonly do: 'stop'; readonly service: number }
  | { readonly do: 'attest'; readonly service: number; readonly hub: number; readonly verdict: 'safe' | 'unsafe' }
  | { readonly do: 'leave'; readonly nodes: Int32Array; readonly crash: boolean }
  | { readonly do: 'join'; readonly nodes: Int32Array }
  | { readonly do: 'cut'; readonly nodes: Int32Array }
  /** what was cut by these cuts, or all: undefined */
  | { readonly do: 'heal'; readonly nodes: Int32Array | undefined }
  | { readonly do: 'attack'; readonly attacker: number }
)

/** All that happens, in order. */
export function timelineOf(scenario: Scenario, population: Population): readonly Action[] {
  const actions = [
    ...publications(scenario, population),
    ...scenario.instructions.flatMap((instruction, index) => actionOf(scenario, population, instruction, index)),
    ...scenario.partitions.flatMap(({ at, until, cut }, index): Action[] => {
      const nodes = select(scenario, population, cut, `partition/${index}`)
      return [
        { ms: at * 1000, do: 'cut', nodes },
        { ms: until * 1000, do: 'heal', nodes },
      ]
    }),
    ...scenario.attackers.map(({ at }, attacker): Action => ({ ms: at * 1000, do: 'attack', attacker })),
    ...churnOf(scenario),
  ]
  const end = scenario.seconds * 1000
  // a stable sort: what falls together happens in the order of the scenario
  return actions.filter(({ ms }) => ms <= end).sort((a, b) => a.ms - b.ms)
}

/** The services are numbered as the instructions stand, also those that come after the scenario's end. */
function publications(scenario: Scenario, population: Population): Action[] {
  const actions: Extract<Action, { do: 'publish' }>[] = []
  for (const [index, instruction] of scenario.instructions.entries()) {
    if (instruction.do === 'update') {
      const { at, service: replaces } = instruction
      const before = actions[replaces]
      if (before !== undefined) actions.push({ ...before, ms: at * 1000, service: actions.length, replaces })
    }
    if (instruction.do !== 'publish') continue
    const random = fastRandom(`${scenario.seed}/publish/${index}`)
    const from = instruction.from && select(scenario, population, instruction.from, `publish/${index}/from`)
    const times = arrivals(instruction, random)
    const among = from?.length ?? scenario.nodes
    for (const [turn, ms] of times.entries()) {
      const chosen = instruction.inTurn ? turn % among : random.int(among)
      const node = from === undefined ? chosen : (from[chosen] ?? 0)
      actions.push({ ms, do: 'publish', service: actions.length, node, of: instruction })
    }
  }
  return actions
}

/** When each is published, in ms. */
function arrivals({ at, count, arrival }: Publication, random: FastRandom): number[] {
  const begin = at * 1000
  const each = (timeOf: (index: number) => number) => Array.from({ length: count }, (_, index) => timeOf(index))
  switch (arrival?.kind) {
    case undefined:
      return each(() => begin)
    case 'rate':
      return each((index) => begin + index * arrival.everySeconds * 1000)
    case 'burst':
      return each((index) => begin + Math.floor(index / arrival.size) * arrival.everySeconds * 1000)
    case 'trace':
      return each((index) => begin + (arrival.seconds[index] ?? Number.POSITIVE_INFINITY) * 1000)
    case 'poisson': {
      let time = begin
      return each(() => {
        time += (-Math.log(1 - random.fraction()) / arrival.perSecond) * 1000
        return time
      })
    }
  }
}

function actionOf(scenario: Scenario, population: Population, instruction: Instruction, index: number): Action[] {
  const ms = instruction.at * 1000
  const nodes = (who: Extract<Instruction, { do: 'join' }>['who']) =>
    select(scenario, population, who, `instruction/${index}`)
  switch (instruction.do) {
    case 'publish':
    case 'update':
      return []
    case 'stop':
      return [{ ms, do: 'stop', service: instruction.service }]
    case 'attest':
      return [{ ms, do: 'attest', service: instruction.service, hub: instruction.hub, verdict: instruction.verdict }]
    case 'revoke':
      return [{ ms, do: 'attest', service: instruction.service, hub: instruction.hub, verdict: 'unsafe' }]
    case 'leave':
      return [{ ms, do: 'leave', nodes: nodes(instruction.who), crash: instruction.crash }]
    case 'join':
      return [{ ms, do: 'join', nodes: nodes(instruction.who) }]
    case 'cut':
      return [{ ms, do: 'cut', nodes: nodes(instruction.who) }]
    case 'heal':
      return [{ ms, do: 'heal', nodes: undefined }]
    case 'attack':
      return scenario.attackers.flatMap(({ kind }, attacker): Action[] =>
        kind === instruction.kind ? [{ ms, do: 'attack', attacker }] : [],
      )
  }
}

/** Ascending. */
function select(
  { nodes, seed, groups }: Scenario,
  { groupOf }: Population,
  who: {
    readonly node?: number | undefined
    readonly groups?: string[] | undefined
    readonly share?: number | undefined
  },
  purpose: string,
): Int32Array {
  if (who.node !== undefined) return Int32Array.of(who.node)
  if (who.share !== undefined)
    return shuffled(nodes, fastRandom(`${seed}/${purpose}`))
      .slice(0, Math.round(nodes * who.share))
      .sort()
  const wanted = new Set(who.groups?.map((name) => groups.findIndex((group) => group.name === name)))
  return Int32Array.from(groupOf.keys().filter((node) => wanted.has(groupOf[node] as number)))
}

/** Nodes that leave at times of chance, and come back. */
function churnOf({ churn, nodes, seconds, seed }: Scenario): Action[] {
  if (churn === undefined) return []
  const random = fastRandom(`${seed}/churn`)
  const { min, max } = churn.downSeconds
  const count = Math.round((nodes * churn.sharePerMinute * seconds) / 60)
  const away = new Map<number, number>()
  const times = Float64Array.from({ length: count }, () => random.fraction() * seconds * 1000).sort()
  const actions: Action[] = []
  for (const ms of times) {
    const node = random.int(nodes)
    const crash = random.fraction() < churn.crash
    const back = ms + (min + random.fraction() * (max - min)) * 1000
    // one that is away cannot leave
    if ((away.get(node) ?? 0) >= ms) continue
    away.set(node, back)
    const one = Int32Array.of(node)
    actions.push({ ms, do: 'leave', nodes: one, crash }, { ms: back, do: 'join', nodes: one })
  }
  return actions
}
