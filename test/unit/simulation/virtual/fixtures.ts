import { systemClock } from '../../../../src/base/clock.ts'
import type { SimEvent } from '../../../../src/simulation/events.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'
import type { SpreadTable, TrafficTable } from '../../../../src/simulation/tables.ts'
import type { Outcome, RunOptions } from '../../../../src/simulation/types.ts'
import { createVirtualEngine } from '../../../../src/simulation/virtual/virtual-engine.ts'

export const WILLING = [{ name: 'willing', share: 1, policy: { REDIRECT: 'always' } }]
const BASE = { title: 'a trial', nodes: 200, seconds: 60, groups: WILLING, instructions: [{ at: 1, do: 'publish' }] }

type Ran = Outcome & {
  readonly list: readonly SimEvent[]
  readonly tables: readonly SpreadTable[]
  readonly traffic: TrafficTable
}

export async function runVirtual(raw: object, options: RunOptions = {}): Promise<Ran> {
  const scenario = await wholeScenario({ ...BASE, ...raw }, { file: 'scenario.json', folder: '.' })
  const list: SimEvent[] = []
  const tables: SpreadTable[] = []
  let traffic: TrafficTable | undefined
  const outcome = await createVirtualEngine({ clock: systemClock() }).run(scenario, {
    onEvent: (event) => void list.push(event),
    onSpread: (table) => void tables.push(table),
    onTraffic: (table) => {
      traffic = table
    },
    ...options,
  })
  return { ...outcome, list, tables, traffic: traffic as TrafficTable }
}

export function reached({ deliveredMs }: SpreadTable): number {
  return deliveredMs.filter((ms) => !Number.isNaN(ms)).length
}

export function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
