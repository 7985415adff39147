import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'

/** One of the streams that are served; to be disposed when it has ended. */
export interface StreamSlot extends Disposable {
  /** It has carried a chunk. */
  used(): void
}

export type StreamSlotsInit = {
  /** streams of all peers */
  readonly max: number
  /** of one peer */
  readonly maxPerPeer: number
  /** what has carried no chunk for so long makes room */
  readonly unusedMs: number
}

/**
 * Which of the streams that peers open are served. Peer ids are free, and so is a request for a manifest: where all slots
 * are taken, a stream that carries no chunks makes room for a new one.
 */
export interface StreamSlots {
  /** Undefined where the peer has as many as it may, or all others are in use. `leave`: ends the stream. */
  take(peer: string, leave: (reason: Error) => void): StreamSlot | undefined
}

type Taken = { readonly peer: string; readonly leave: (reason: Error) => void; usedAt: number }

export function createStreamSlots(clock: Clock, { max, maxPerPeer, unusedMs }: StreamSlotsInit): StreamSlots {
  const taken = new Set<Taken>()

  function makeRoom(): boolean {
    if (taken.size < max) return true
    const [idlest] = [...taken].sort((a, b) => a.usedAt - b.usedAt)
    if (idlest === undefined || clock.monotonic() - idlest.usedAt < unusedMs) return false
    taken.delete(idlest)
    idlest.leave(new UnavailableError('the stream carried nothing, and another peer wants its slot'))
    return true
  }

  return {
    take(peer, leave) {
      const own = [...taken].filter((slot) => slot.peer === peer)
      if (own.length >= maxPerPeer || !makeRoom()) return undefined
      const slot: Taken = { peer, leave, usedAt: clock.monotonic() }
      taken.add(slot)
      return {
        used() {
          slot.usedAt = clock.monotonic()
        },
        [Symbol.dispose]: () => void taken.delete(slot),
      }
    },
  }
}
