import { LruMap } from '../../base/lru-map.ts'

// Ours, not a library: who has the fewest slots is next, and those that hold one are told whether another waits for it.

/** The download slots, and who holds them. An author who fills the queue keeps no other from a slot. */
export interface DownloadSlots {
  /** Waits for a slot, does the work, and gives the slot back. Rejects with the reason of `signal` while it waits. */
  run<T>(of: DownloadOf, work: (slot: DownloadSlot) => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Why a download waits for a slot; undefined where it does not. */
  whyWaits(of: DownloadOf): string | undefined
}

/** `what`: names the download among those of its author */
export type DownloadOf = { readonly author: string; readonly what: string }

export interface DownloadSlot {
  /** Does another author wait for it? */
  othersWait(): boolean
  /** What the download gets, with which it is compared with the others. */
  report(bytesPerSecond: number): void
  /** How often the same download has made room before: it has longer each time. */
  readonly timesMadeRoom: number
  /**
   * Others wait, and it is too slow for that: is it the one that makes room? The slowest is, one at a time. Those that have
   * longer than this one are not compared.
   */
  makesRoom(): boolean
}

/** Downloads of which it is known that they made room. */
const MAX_REMEMBERED = 1024

type Waiter = DownloadOf & { readonly begin: () => void }
type Held = DownloadOf & { readonly timesMadeRoom: number; bytesPerSecond: number; leaving: boolean }

export function createDownloadSlots(init: { readonly max: number; readonly maxPerAuthor: number }): DownloadSlots {
  const held = new Map<string, number>()
  const waiting = new Set<Waiter>()
  const slots = new Set<Held>()
  /** given to waiters that have not begun yet */
  let promised = 0
  const madeRoom = new LruMap<string, number>(MAX_REMEMBERED)

  const heldBy = (author: string) => held.get(author) ?? 0
  const mayHaveOne = ({ author }: DownloadOf) => heldBy(author) < init.maxPerAuthor

  /** Of those who have the fewest slots, the one that has waited longest. */
  function next(): Waiter | undefined {
    if (slots.size + promised >= init.max) return undefined
    const [first] = [...waiting].filter(mayHaveOne).sort((a, b) => heldBy(a.author) - heldBy(b.author))
    return first
  }

  function assign(): void {
    for (let waiter = next(); waiter !== undefined; waiter = next()) {
      waiting.delete(waiter)
      promised++
      held.set(waiter.author, heldBy(waiter.author) + 1)
      waiter.begin()
    }
  }

  function giveBack(slot: Held): void {
    const { author } = slot
    slots.delete(slot)
    if (heldBy(author) === 1) held.delete(author)
    else held.set(author, heldBy(author) - 1)
    assign()
  }

  function turn({ author, what }: DownloadOf, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { author, what, begin: resolve }
    const leave = () => {
      if (waiting.delete(waiter)) reject(signal?.reason)
    }
    waiting.add(waiter)
    signal?.addEventListener('abort', leave, { once: true })
    assign()
    return promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  const viewOf = (slot: Held): DownloadSlot => ({
    othersWait: () => [...waiting].some((waiter) => waiter.author !== slot.author && mayHaveOne(waiter)),
    report(bytesPerSecond) {
      slot.bytesPerSecond = bytesPerSecond
    },
    timesMadeRoom: slot.timesMadeRoom,
    makesRoom() {
      const isSlower = (other: Held) =>
        other.timesMadeRoom <= slot.timesMadeRoom && other.bytesPerSecond < slot.bytesPerSecond
      if ([...slots].some((other) => other.leaving || isSlower(other))) return false
      slot.leaving = true
      madeRoom.set(nameOf(slot), slot.timesMadeRoom + 1)
      return true
    },
  })

  return {
    async run(of, work, signal) {
      signal?.throwIfAborted()
      await turn(of, signal)
      // until it is known to be slow, it is not
      const slot: Held = {
        ...of,
        timesMadeRoom: madeRoom.get(nameOf(of)) ?? 0,
        bytesPerSecond: Number.POSITIVE_INFINITY,
        leaving: false,
      }
      promised--
      slots.add(slot)
      try {
        return await work(viewOf(slot))
      } finally {
        giveBack(slot)
      }
    },
    whyWaits({ author, what }) {
      if (![...waiting].some((waiter) => waiter.author === author && waiter.what === what)) return undefined
      if (heldBy(author) < init.maxPerAuthor) return `all ${init.max} slots are in use`
      return `${init.maxPerAuthor === 2 ? 'two' : init.maxPerAuthor} of this author's are under way`
    },
  }
}

function nameOf({ author, what }: DownloadOf): string {
  return JSON.stringify([author, what])
}
