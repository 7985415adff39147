import type { Clock } from '../base/clock.ts'
import { ASKS_PER_SECOND } from './constants.ts'

/** What this node spends on asking, about all services together. Rounds wait when too much is spent ahead. */
export interface AskBudget {
  /** Is less than so much spent ahead? */
  allows(aheadMs: number): boolean
  spend(): void
}

export function createAskBudget({ clock }: { clock: Clock }): AskBudget {
  let paidUntil = 0
  return {
    allows: (aheadMs) => paidUntil - clock.monotonic() < aheadMs,
    spend() {
      paidUntil = Math.max(paidUntil, clock.monotonic()) + 1000 / ASKS_PER_SECOND
    },
  }
}
