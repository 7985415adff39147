import { raceSignal } from 'race-signal'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { SLOW_BLOB_BYTES_PER_SECOND, SLOW_BLOB_MS } from '../constants.ts'
import type { ImageBlob } from '../images/image-manifest.ts'

/** A blob on its way from one provider. */
export type BlobTask = {
  readonly blob: ImageBlob
  /** Aborts when another provider takes over. */
  readonly signal: AbortSignal
  received(bytes: number): void
  /** It is on the disk, or this provider does not bring it. */
  done(stored: boolean): void
}

/** Which blob is asked of which provider. One provider brings all of a blob: its hash can only be checked when it is whole. */
export interface BlobPicker {
  /**
   * The next blob for a provider, when there is one; undefined when all are stored, or none will be left for it. `without`:
   * digests that it does not have. A provider that is much too slow loses its blob to one that has nothing to do.
   */
  next(without: ReadonlySet<string>, options: { signal: AbortSignal }): Promise<BlobTask | undefined>
  /** All are stored. */
  readonly done: boolean
}

type Assigned = { readonly controller: AbortController; readonly since: number; bytes: number }

export function createBlobPicker(clock: Clock, missing: readonly ImageBlob[]): BlobPicker {
  const free = [...missing]
  const assigned = new Map<ImageBlob, Assigned>()
  let changed = Promise.withResolvers<void>()

  function wake(): void {
    changed.resolve()
    changed = Promise.withResolvers()
  }

  function assign(blob: ImageBlob): BlobTask {
    const controller = new AbortController()
    const state = { controller, since: clock.monotonic(), bytes: 0 }
    assigned.set(blob, state)
    return {
      blob,
      signal: controller.signal,
      received(bytes) {
        state.bytes += bytes
      },
      done(stored) {
        if (assigned.get(blob) !== state) return
        assigned.delete(blob)
        if (!stored) free.unshift(blob)
        wake()
      },
    }
  }

  function abortSlow(without: ReadonlySet<string>): void {
    for (const [{ digest }, { controller, since, bytes }] of assigned) {
      const ms = clock.monotonic() - since
      if (without.has(digest) || ms < SLOW_BLOB_MS || bytes >= (SLOW_BLOB_BYTES_PER_SECOND * ms) / 1000) continue
      controller.abort(new UnavailableError('the provider is too slow, and another has the blob'))
      return
    }
  }

  return {
    get done() {
      return free.length + assigned.size === 0
    },
    async next(without, { signal }) {
      using _looks = clock.every(SLOW_BLOB_MS, () => abortSlow(without))
      for (;;) {
        signal.throwIfAborted()
        const place = free.findIndex(({ digest }) => !without.has(digest))
        if (place >= 0) return assign(free.splice(place, 1)[0] as ImageBlob)
        if (![...assigned.keys()].some(({ digest }) => !without.has(digest))) return undefined
        await raceSignal(changed.promise, signal)
      }
    },
  }
}
