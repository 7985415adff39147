import type { ParkedService } from '../../base/parked-service.ts'
import type { WakeCondition } from '../../base/verdict.ts'

type Ranked = Pick<ParkedService, 'id' | 'rank' | 'arrived'>

/** Best first: by rank, then by arrival. Ids settle what is left, so that the order never depends on chance. */
export function bestFirst(a: Ranked, b: Ranked): number {
  return b.rank - a.rank || a.arrived - b.arrived || (a.id < b.id ? -1 : Number(a.id > b.id))
}

/** The one that would have to leave for a better one. */
export function lowest(services: Iterable<ParkedService>): ParkedService | undefined {
  let last: ParkedService | undefined
  for (const service of services) if (last === undefined || bestFirst(last, service) < 0) last = service
  return last
}

/** Two conditions with one key are woken by the same event. */
export function keyOf(condition: WakeCondition): string {
  switch (condition.on) {
    case 'quorum':
      return `quorum ${condition.code}`
    case 'executor':
      return `executor ${condition.executor}`
    case 'freeze':
      return `freeze ${condition.chain}`
    case 'delegation':
      return `delegation ${condition.author}`
    default:
      return condition.on
  }
}
