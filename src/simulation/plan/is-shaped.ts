import type { Plan } from './plan.ts'

/** Is anything to be done to what nodes say to one another? Else they are connected directly. */
export function isShaped({ scenario: { links, instructions, partitions } }: Plan): boolean {
  const { latencyMs, jitterMs, loss } = links
  const late = 'matrix' in latencyMs || latencyMs.max > 0 || jitterMs > 0 || loss > 0
  return late || partitions.length > 0 || instructions.some(({ do: what }) => what === 'cut')
}
