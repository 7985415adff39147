import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'

/** One of the streams that are served; to be disposed when it has ended. */
export interface StreamSlot extends Disposable {
  /** It has carried so many bytes of a chunk. */
  carried(bytes: number): void
}

export type StreamSlotsInit = {
  /** streams of all peers */
  readonly max: number
  /** of one peer */
  readonly maxPerPeer: number
  /** what has carried nothing for so long makes room */
  readonly unusedMs: number
  /** what has carried less than this for so long makes room, too: small chunks now and then keep no slot */
  readonly minBytesPerSecond: number
}

/**
 * Which of the streams that peers open are served. Peer ids are free, and so is a request for a manifest: where all slots
 * are taken, a stream that carries no chunks, or too little, makes room for a new one.
 */
export interface StreamSlots {
  /** Undefined where the peer has as many as it may, or all others are in use. `leave`: ends the stream. */
  take(peer: string, leave: (reason: Error) => void): StreamSlot | undefined
}

/** `onTimeUntil`: up to then the stream has carried bytes at the minimum rate. */
type Taken = { readonly peer: string; readonly leave: (reason: Error) => void; onTimeUntil: number }

export function createStreamSlots(
  clock: Clock,
  { max, maxPerPeer, unusedMs, minBytesPerSecond }: StreamSlotsInit,
): StreamSlots {
  const taken = new Set<Taken>()

  function makeRoom(): boolean {
    if (taken.size < max) return true
    const [idlest] = [...taken].sort((a, b) => a.onTimeUntil - b.onTimeUntil)
    if (idlest === undefined || clock.monotonic() - idlest.onTimeUntil < unusedMs) return false
    taken.delete(idlest)
    idlest.leave(new UnavailableError('the stream carried nothing or too little, and another peer wants its slot'))
    return true
  }

  return {
    take(peer, leave) {
      const own = [...taken].filter((slot) => slot.peer === peer)
      if (own.length >= maxPerPeer || !makeRoom()) return undefined
      const slot: Taken = { peer, leave, onTimeUntil: clock.monotonic() }
      taken.add(slot)
      return {
        carried(bytes) {
          const now = clock.monotonic()
          // never beyond now: a burst keeps no slot later. A stream that is far behind can catch up
          slot.onTimeUntil = Math.min(
            now,
            Math.max(slot.onTimeUntil, now - 2 * unusedMs) + (bytes / minBytesPerSecond) * 1000,
          )
        },
        [Symbol.dispose]: () => void taken.delete(slot),
      }
    },
  }
}
