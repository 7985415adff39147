import { compareBytes } from '../../protocols/encoding.ts'

export type RankedClaimant = {
  readonly peer: string
  /** since when its claim has counted without a break, on this node's monotonic clock */
  readonly since: number
  readonly distance: Uint8Array
}

/**
 * As many claimants as `most`, the nearest first. Where there are more, half of the places go to those that have claimed for longest:
 * who comes later takes none of these. Of the others those in use go first, then the nearest. So keys that are ground near a service,
 * however many and however long they stay, get half of the places at most while enough claim that came before them.
 */
export function limitClaimants<Claimant extends RankedClaimant>(
  claimants: readonly Claimant[],
  most: number,
  inUse: ReadonlySet<string>,
): Claimant[] {
  const nearest = [...claimants].sort(byDistance)
  if (nearest.length <= most) return nearest
  const oldest = [...nearest].sort((a, b) => a.since - b.since)
  const chosen = new Set(oldest.slice(0, Math.floor(most / 2)))
  const fill = (from: readonly Claimant[]) => {
    for (const claimant of from) if (chosen.size < most) chosen.add(claimant)
  }
  fill(nearest.filter(({ peer }) => inUse.has(peer)))
  fill(nearest)
  return [...chosen].sort(byDistance)
}

function byDistance(a: RankedClaimant, b: RankedClaimant): number {
  return compareBytes(a.distance, b.distance)
}
