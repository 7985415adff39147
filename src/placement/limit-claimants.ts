import { compareBytes } from '../../protocols/encoding.ts'

export type RankedClaimant = {
  readonly peer: string
  /** since when its claim has counted without a break, on this node's monotonic clock */
  readonly since: number
  readonly distance: Uint8Array
}

/**
 * As many claimants as `most`, the nearest first. Where there are more, those in use stay; of the other places half go to the
 * nearest and half to those that have claimed for longest. Who grinds keys near a service, or has many, comes later than those that run
 * it, and gets half of the places at most.
 */
export function limitClaimants<Claimant extends RankedClaimant>(
  claimants: readonly Claimant[],
  most: number,
  inUse: ReadonlySet<string>,
): Claimant[] {
  const nearest = [...claimants].sort(byDistance)
  if (nearest.length <= most) return nearest
  const oldest = [...nearest].sort((a, b) => a.since - b.since)
  const chosen = new Set(nearest.filter(({ peer }) => inUse.has(peer)).slice(0, most))
  const fill = (from: readonly Claimant[], until: number) => {
    for (const claimant of from) if (chosen.size < until) chosen.add(claimant)
  }
  fill(oldest, chosen.size + Math.ceil((most - chosen.size) / 2))
  fill(nearest, most)
  return [...chosen].sort(byDistance)
}

function byDistance(a: RankedClaimant, b: RankedClaimant): number {
  return compareBytes(a.distance, b.distance)
}
