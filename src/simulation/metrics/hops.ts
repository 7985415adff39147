import { metric } from '../observation/types.ts'

export const hops = metric({
  id: 'hops',
  describe: 'Links from the publisher over the nodes that each had their first valid copy from the one before.',
  match: ['spread'],
  start: (): number[] => [],
  capture(counts, { table: { publisher, deliveredMs, hops } }) {
    for (let node = 0; node < hops.length; node++) {
      const count = hops[node] ?? 0
      if (node !== publisher && !Number.isNaN(deliveredMs[node])) counts[count] = (counts[count] ?? 0) + 1
    }
  },
  dump(counts) {
    const rows = Array.from(counts, (count = 0, hops) => [hops, count] as const).filter(([, count]) => count > 0)
    const total = rows.reduce((sum, [, count]) => sum + count, 0)
    const sum = rows.reduce((sum, [hops, count]) => sum + hops * count, 0)
    return {
      values: { hopsMean: total === 0 ? null : sum / total, hopsMax: rows.at(-1)?.[0] ?? null },
      tables: { hops: { columns: ['hops', 'deliveries'], rows } },
    }
  },
})
