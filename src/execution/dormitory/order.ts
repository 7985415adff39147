import type { Sleeper } from '../../base/parked-service.ts'
import type { Condition } from '../../base/verdict.ts'

/** Best first: by rank, then by arrival. Ids settle what is left, so that the order never depends on chance. */
export function bestFirst(a: Sleeper, b: Sleeper): number {
  return b.rank - a.rank || a.arrived - b.arrived || (a.id < b.id ? -1 : Number(a.id > b.id))
}

/** The one that would have to leave for a better one. */
export function lowest(sleepers: Iterable<Sleeper>): Sleeper | undefined {
  let last: Sleeper | undefined
  for (const sleeper of sleepers) if (last === undefined || bestFirst(last, sleeper) < 0) last = sleeper
  return last
}

/** Two conditions with one key are woken by the same event. */
export function keyOf(condition: Condition): string {
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
