import type { ParkedService } from '../../base/parked-service.ts'
import { bestFirst, lowest } from './order.ts'
import type { DormitoryState, ParkResult } from './types.ts'

/** Whether a service is parked, and instead of which one. `until`: the end of its time in the dormitory, ms. */
export function findSlot(newcomer: ParkedService, until: number, { now, max, parked }: DormitoryState): ParkResult {
  if (until <= now) return { parked: false, why: 'it has slept as long as DORMITORY.TTL_SECONDS allows' }
  if (parked.has(newcomer.id) || parked.size < max) return { parked: true, until }
  const last = lowest(parked.values())
  if (last !== undefined && bestFirst(newcomer, last) < 0) return { parked: true, until, replaced: last }
  const full = max === 0 ? 'DORMITORY.MAX is 0: nothing is parked here' : `all ${max} places of DORMITORY.MAX are taken`
  return { parked: false, why: last === undefined ? full : `${full}, and none of them ranks lower` }
}
