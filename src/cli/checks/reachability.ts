import { formatBytes, howMany } from '../../base/format.ts'
import type { ReachabilityView } from '../../node/types.ts'
import { type Check, ok, warn } from './check.ts'

const WHAT = 'reachability'

/** Can other nodes connect to the one that runs, and what does it relay? */
export function checkReachability({ state, because, advice, relaying }: ReachabilityView): Check {
  const relays =
    relaying === undefined
      ? ''
      : `; it relays for ${howMany(relaying.reservations, 'node', 'nodes')}, ${howMany(relaying.circuits, 'connection', 'connections')} now, and ${formatBytes(relaying.bytes)} since its start`
  const answer = { direct: 'yes', relayed: 'through a relay only', none: 'no', unknown: 'not known yet' }[state]
  const found = `reachable from outside: ${answer}; ${because}${relays}`
  return state === 'none' ? warn(WHAT, found, advice) : { ...ok(WHAT, found), advice }
}
