import { raceSignal } from 'race-signal'
/** Bounds how many streams to one peer are being opened at the same time; more wait for their turn, first come first served. */
export interface OpenSlots {
  /** Resolves when it is the caller's turn; dispose of it when the stream is open. Rejects with the signal's reason. */
  take(peer: string, signal: AbortSignal): Promise<Disposable>
}

type Waiter = () => void

export function createOpenSlots(max: number): OpenSlots {
  const peers = new Map<string, { taken: number; readonly waiters: Set<Waiter> }>()

  function release(peer: string): void {
    const slots = peers.get(peer)
    if (slots === undefined) return
    const [next] = slots.waiters
    if (next !== undefined) {
      // the slot passes to the longest waiter
      slots.waiters.delete(next)
      next()
      return
    }
    slots.taken--
    if (slots.taken === 0) peers.delete(peer)
  }

  return {
    async take(peer, signal) {
      signal.throwIfAborted()
      const slots = peers.get(peer) ?? { taken: 0, waiters: new Set<Waiter>() }
      peers.set(peer, slots)
      if (slots.taken < max) slots.taken++
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        slots.waiters.add(resolve)
        try {
          await raceSignal(promise, signal)
        } catch (error) {
          // its turn may have come in the moment in which it left
          if (!slots.waiters.delete(resolve)) release(peer)
          throw error
        }
      }
      return { [Symbol.dispose]: () => release(peer) }
    },
  }
}
