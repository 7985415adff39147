import { formatBytes } from '../base/text.ts'
import { StoreFullError } from './errors.ts'

/** Something that takes room and may be thrown out to make some. */
export type Evictable = { readonly bytes: number; readonly usedAt: number; readonly evict: () => Promise<void> }

export interface Quota {
  readonly used: number
  /** Takes room before it is filled; throws out what was used longest ago. Throws StoreFullError where that is not enough. */
  take(bytes: number): Promise<void>
  give(bytes: number): void
  /** Counts what lies there since before, also where it is more than allowed now. */
  keep(bytes: number): void
}

/** `candidates` says what may go now, in any order. `evict` gives back its own bytes. */
export function createQuota(maxBytes: number, candidates: () => Evictable[]): Quota {
  let used = 0
  const tooMuch = (bytes: number) =>
    new StoreFullError(
      `the code store may use ${formatBytes(maxBytes)} and ${formatBytes(used)} are in use; ${formatBytes(bytes)} more do not fit`,
    )
  return {
    get used() {
      return used
    },
    async take(bytes) {
      if (bytes > maxBytes) throw tooMuch(bytes)
      const evictable = candidates().reduce((sum, candidate) => sum + candidate.bytes, 0)
      // asked first, so that nothing is thrown out in vain
      if (used + bytes - evictable > maxBytes) throw tooMuch(bytes)
      while (used + bytes > maxBytes) {
        const [oldest] = candidates().sort((a, b) => a.usedAt - b.usedAt)
        if (oldest === undefined) throw tooMuch(bytes)
        await oldest.evict()
      }
      used += bytes
    },
    give(bytes) {
      used -= bytes
    },
    keep(bytes) {
      used += bytes
    },
  }
}
