import { equals } from 'uint8arrays'
import type { Clock } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
import { DENYLIST_SIZE } from './constants.ts'

/** Ids that were refused and not kept: sync need not fetch them again, nor a signature be checked again. */
export interface Denylist {
  /** Never again. With the signature where it was found good. */
  addPermanent(id: string, sig?: Uint8Array): void
  addUntil(id: string, ms: number): void
  has(id: string): boolean
  /** Refused for ever, with this very signature. */
  hasSignature(id: string, sig: Uint8Array): boolean
}

export function createDenylist(clock: Clock): Denylist {
  const ids = new LruMap<string, { until: number; sig?: Uint8Array | undefined }>(DENYLIST_SIZE)
  return {
    addPermanent: (id, sig) => ids.set(id, { until: Number.POSITIVE_INFINITY, sig }),
    addUntil: (id, ms) => ids.set(id, { until: ms }),
    has: (id) => (ids.get(id)?.until ?? 0) > clock.now(),
    hasSignature(id, sig) {
      const known = ids.get(id)?.sig
      return known !== undefined && equals(known, sig)
    },
  }
}
