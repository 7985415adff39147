import { fastRandom } from '../plan/random.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** How long TCP waits before it sends again what was lost; twice as long for each further loss. */
const RETRANSMIT_MS = 200
/** A message that is lost more often in a row has arrived by then, or its connection is gone. */
const MAX_LOSSES = 6

/** What jitter and loss add to the way of a message. */
export function delayOf({ seed, links: { jitterMs, loss } }: Scenario): () => number {
  if (jitterMs === 0 && loss === 0) return () => 0
  const random = fastRandom(`${seed}/links`)
  return () => {
    let ms = random.fraction() * jitterMs
    for (let losses = 0; losses < MAX_LOSSES && random.fraction() < loss; losses++) ms += RETRANSMIT_MS * 2 ** losses
    return ms
  }
}
