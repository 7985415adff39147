import type { z } from 'zod'
import { howMany } from '../../base/format.ts'
import { sentence } from '../../config/zod-fields.ts'
import type { ScenarioKeys } from './schema.ts'

/** Shares are decimal fractions: they may miss their sum by this much. */
const CLOSE = 1e-6

type Report = (path: PropertyKey[], problem: string) => void

/** Keys that contradict one another. */
export function checkScenario(value: ScenarioKeys, context: z.RefinementCtx): void {
  const report: Report = (path, problem) => sentence(context, path, problem)
  checkShares(value, report)
  checkRegions(value, report)
  checkTopology(value, report)
  checkReferences(value, report)
}

function checkShares({ groups, attackers }: ScenarioKeys, report: Report): void {
  const total = sum(groups.map(({ share }) => share))
  if (Math.abs(total - 1) > CLOSE) report(['groups'], `have shares that sum to ${rounded(total)}; they must sum to 1`)
  const attacking = sum(attackers.map(({ share }) => share))
  if (attacking > 1 + CLOSE)
    report(['attackers'], `have shares that sum to ${rounded(attacking)}; they must sum to at most 1`)
  for (const [index, { name }] of groups.entries()) {
    if (groups.findIndex((group) => group.name === name) < index)
      report(
        ['groups', index, 'name'],
        `is ${JSON.stringify(name)}, which another group has; give each a name of its own`,
      )
  }
}

function checkRegions({ links: { latencyMs }, topology }: ScenarioKeys, report: Report): void {
  const path = ['links', 'latencyMs']
  if (!('regions' in latencyMs)) {
    if (topology.kind === 'regions')
      report(['topology', 'kind'], 'is "regions", but links.latencyMs names no regions; give it { regions, matrix }')
    return
  }
  const { regions, shares, matrix } = latencyMs
  const count = regions.length
  if (count === 0) report([...path, 'regions'], 'is empty; it must name at least one region')
  if (matrix.length !== count || matrix.some((row) => row.length !== count))
    report([...path, 'matrix'], `must have ${count} rows of ${count} numbers, as there are ${count} regions`)
  if (shares === undefined) return
  if (shares.length !== count) report([...path, 'shares'], `must have ${count} numbers, as there are ${count} regions`)
  const total = sum(shares)
  if (Math.abs(total - 1) > CLOSE) report([...path, 'shares'], `sum to ${rounded(total)}; they must sum to 1`)
}

function checkTopology({ topology, nodes }: ScenarioKeys, report: Report): void {
  if (topology.kind === 'edges') {
    const wrong = topology.edges.findIndex(([a, b]) => a >= nodes || b >= nodes || a === b)
    if (wrong >= 0)
      report(
        ['topology', 'edges', wrong],
        `must join two different nodes from 0 to ${nodes - 1}, as there are ${nodes} nodes`,
      )
    return
  }
  const [key, least] =
    'degree' in topology ? ['degree', topology.degree] : 'links' in topology ? ['links', topology.links] : ['', 0]
  if (nodes === 1 && least > 0)
    report(['topology', 'kind'], `is "${topology.kind}", but nodes is 1; for one node it must be "edges" without any`)
  else if (least >= nodes)
    report(['topology', key], `is ${least}, but a node has ${nodes - 1} others; it must be at most ${nodes - 1}`)
  else if (topology.kind === 'random-regular' && (nodes * topology.degree) % 2 === 1)
    report(
      ['topology', 'degree'],
      `is ${least}, but nodes is ${nodes}; one of them must be even, as a link has two ends`,
    )
}

function checkReferences(value: ScenarioKeys, report: Report): void {
  const known = value.groups.map(({ name }) => name)
  const check = (
    path: PropertyKey[],
    who: { node?: number | undefined; groups?: string[] | undefined } | undefined,
  ) => {
    for (const [index, name] of (who?.groups ?? []).entries()) {
      if (!known.includes(name))
        report(
          [...path, 'groups', index],
          `is ${JSON.stringify(name)}, which is no group; known are ${known.join(', ')}`,
        )
    }
    if (who?.node !== undefined) checkNode([...path, 'node'], who.node)
  }
  const checkNode = (path: PropertyKey[], node: number) => {
    if (node >= value.nodes) report(path, `is ${node}, but the last node is ${value.nodes - 1}`)
  }
  for (const [index, { cut }] of value.partitions.entries()) check(['partitions', index, 'cut'], cut)
  for (const [index, { node }] of value.crashes.entries()) checkNode(['crashes', index, 'node'], node)
  for (const [index, attacker] of value.attackers.entries()) checkNode(['attackers', index, 'target'], attacker.target)
  const services = value.instructions.reduce((all, one) => all + publishedBy(one), 0)
  for (const [index, instruction] of value.instructions.entries()) {
    const path = ['instructions', index]
    if (instruction.at > value.seconds)
      report([...path, 'at'], `is ${instruction.at}, but the scenario ends after ${value.seconds} s`)
    if ('who' in instruction) check([...path, 'who'], instruction.who)
    if ('from' in instruction) check([...path, 'from'], instruction.from)
    if (instruction.do === 'attack' && !value.attackers.some(({ kind }) => kind === instruction.kind))
      report([...path, 'kind'], `is "${instruction.kind}", but attackers has none of that kind`)
    if ('hub' in instruction) checkNode([...path, 'hub'], instruction.hub)
    if (!('service' in instruction)) continue
    const { service, at } = instruction
    const known = instruction.do === 'update' ? value.instructions.slice(0, index) : value.instructions
    const published = publishedFrom(known, service)
    if (published === undefined)
      report(
        [...path, 'service'],
        instruction.do === 'update' && publishedFrom(value.instructions, service) !== undefined
          ? `is ${service}, which no instruction before this one publishes; write the update below it`
          : `is ${service}, but ${howMany(services, 'service is', 'services are')} published; the first is 0`,
      )
    else if (at < published)
      report([...path, 'at'], `is ${at}, but service ${service} is not published before ${published} s`)
  }
}

/** When a service is published at the earliest; undefined = never. Instructions number them in their order. */
function publishedFrom(instructions: ScenarioKeys['instructions'], service: number): number | undefined {
  let before = 0
  for (const instruction of instructions) {
    before += publishedBy(instruction)
    if (service < before) return instruction.at
  }
  return undefined
}

/** How many services it publishes, new versions included. */
export function publishedBy(instruction: ScenarioKeys['instructions'][number]): number {
  if (instruction.do === 'update') return 1
  return instruction.do === 'publish' ? instruction.count : 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function rounded(number: number): number {
  return Number(number.toFixed(6))
}
