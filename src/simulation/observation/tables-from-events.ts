import { DECIDING_RULES, DISPOSITIONS, type SimEvent } from '../events.ts'
import { createSpreadTable, NONE, type SpreadTable } from '../tables.ts'

/** Fills the tables of engines that give events alone, which then must be all events. */
export interface TablesFromEvents {
  onEvent(event: SimEvent): void
  tables(): SpreadTable[]
}

export function createTablesFromEvents(nodes: number): TablesFromEvents {
  const tables = new Map<number, SpreadTable>()
  const known = new Map<number, Float64Array>()
  const raise = (values: Uint8Array, node: number, depth: number) => {
    const before = values[node] ?? NONE
    if (before === NONE || depth > before) values[node] = depth
  }
  return {
    onEvent(event) {
      if (event.event === 'published') {
        const { service, node: publisher, ms: publishedMs, depth: reach } = event
        if (!tables.has(service))
          tables.set(service, createSpreadTable(nodes, { service, publisher, publishedMs, reach }))
        return
      }
      const table = 'service' in event ? tables.get(event.service) : undefined
      if (table === undefined) return
      const { node } = event
      switch (event.event) {
        case 'delivered':
          table.deliveredMs[node] = event.ms
          table.firstDepth[node] = event.depth
          raise(table.bestDepth, node, event.depth)
          table.hops[node] = event.hops
          table.from[node] = event.from
          break
        case 'better':
          raise(table.bestDepth, node, event.depth)
          break
        case 'verdict':
          raise(table.bestDepth, node, event.depth)
          table.disposition[node] = DISPOSITIONS.indexOf(event.verdict)
          table.rule[node] = DECIDING_RULES.indexOf(event.rule)
          break
        case 'emitted':
          raise(table.emittedDepth, node, event.depth)
          break
        case 'revoked': {
          const times = known.get(event.service) ?? new Float64Array(nodes).fill(Number.NaN)
          known.set(event.service, times)
          times[node] = event.ms
          break
        }
        default:
          break
      }
    },
    tables: () =>
      [...tables.values()].map((table) => ({ ...table, revokedMs: known.get(table.service) ?? table.revokedMs })),
  }
}
