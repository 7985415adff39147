import { createTrafficTable, DEPTHS, type TrafficTable } from '../tables.ts'
import type { NodeTraffic } from './gossip-tap.ts'

export function trafficTableOf(
  nodes: number,
  traffic: readonly (readonly [node: number, of: NodeTraffic])[],
): TrafficTable {
  const table = createTrafficTable(nodes)
  for (const [node, { sentBytes, receivedBytes, copies, duplicates }] of traffic) {
    table.sentBytes[node] = sentBytes
    table.receivedBytes[node] = receivedBytes
    table.copies.set(copies, node * DEPTHS)
    table.duplicates.set(duplicates, node * DEPTHS)
  }
  return table
}
