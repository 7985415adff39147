import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { MAX_CANDIDATES, MAX_EXCLUDED, PROVIDER_BACKOFF } from '../constants.ts'

/** Peers that may serve one code, and when each may be tried (again). */
export interface Candidates {
  /** As many are known as may be, and none of them has failed: another finds no place. */
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
  const excluded = new LruMap<string, true>(MAX_EXCLUDED)

  function worst(): string | undefined {
    const failed = [...known].filter(([, { failures }]) => failures > 0)
    return failed.sort(([, a], [, b]) => b.failures - a.failures)[0]?.[0]
  }

  return {
    get isFull() {
      return known.size >= MAX_CANDIDATES && worst() === undefined
    },
    add(peer) {
      if (known.has(peer) || excluded.get(peer) === true) return false
      if (known.size >= MAX_CANDIDATES) {
        const failed = worst()
        if (failed === undefined) return false
        // names are free: whoever makes up many must not keep out those that answer
        known.delete(failed)
      }
      known.set(peer, { at: Number.NEGATIVE_INFINITY, failures: 0 })
      return true
    },
    exclude(peer) {
      known.delete(peer)
      excluded.set(peer, true)
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
