import type { Clock } from '../../base/clock.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { MAX_CANDIDATES, PROVIDER_BACKOFF } from '../constants.ts'

/** Peers that may serve one code, and when each may be tried (again). */
export interface Candidates {
  readonly isFull: boolean
  /** False where it is known already. */
  add(peer: string): boolean
  /** Never again. */
  exclude(peer: string): void
  /** It failed, or was dropped, and did nothing wrong. */
  postpone(peer: string): void
  /** The one whose turn it is, of those that `skip` does not hold: first one that was never tried. */
  next(skip: { has(peer: string): boolean }): { peer: string; isNew: boolean } | undefined
}

export function createCandidates({ clock, rng }: { clock: Clock; rng: Rng }): Candidates {
  const known = new Map<string, { at: number; failures: number }>()
  const excluded = new Set<string>()
  return {
    get isFull() {
      return known.size >= MAX_CANDIDATES
    },
    add(peer) {
      if (known.has(peer) || excluded.has(peer) || known.size >= MAX_CANDIDATES) return false
      known.set(peer, { at: Number.NEGATIVE_INFINITY, failures: 0 })
      return true
    },
    exclude(peer) {
      known.delete(peer)
      excluded.add(peer)
    },
    postpone(peer) {
      const failures = known.get(peer)?.failures ?? 0
      known.set(peer, { at: clock.monotonic() + backoffMs(failures, PROVIDER_BACKOFF, rng), failures: failures + 1 })
    },
    next(skip) {
      const now = clock.monotonic()
      const [first] = [...known]
        .filter(([peer, { at }]) => at <= now && !skip.has(peer))
        .sort(([, a], [, b]) => a.at - b.at)
      return first && { peer: first[0], isNew: first[1].at === Number.NEGATIVE_INFINITY }
    },
  }
}
