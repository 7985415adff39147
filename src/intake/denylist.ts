import { equals } from 'uint8arrays'
import type { Clock } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
import { UNWANTED_IDS } from './constants.ts'

/** Ids that were refused and not kept: sync need not fetch them again, nor a signature be checked again. */
export interface Unwanted {
  /** Never again. With the signature where it was found good. */
  ever(id: string, sig?: Uint8Array): void
  until(id: string, ms: number): void
  has(id: string): boolean
  /** Refused for ever, with this very signature. */
  knows(id: string, sig: Uint8Array): boolean
}

export function createUnwanted(clock: Clock): Unwanted {
  const ids = new LruMap<string, { until: number; sig?: Uint8Array | undefined }>(UNWANTED_IDS)
  return {
    ever: (id, sig) => ids.set(id, { until: Number.POSITIVE_INFINITY, sig }),
    until: (id, ms) => ids.set(id, { until: ms }),
    has: (id) => (ids.get(id)?.until ?? 0) > clock.now(),
    knows(id, sig) {
      const known = ids.get(id)?.sig
      return known !== undefined && equals(known, sig)
    },
  }
}
