// Ours, not a library: who has the fewest slots is next, and those that hold one are told whether another waits for it.

/** The download slots, and who holds them. An author who fills the queue keeps no other from a slot. */
export interface DownloadSlots {
  /** Waits for a slot, does the work, and gives the slot back. Rejects with the reason of `signal` while it waits. */
  run<T>(author: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Does another author wait for a slot that this one holds? */
  othersWait(author: string): boolean
}

type Waiter = { readonly author: string; readonly begin: () => void }

export function createDownloadSlots(init: { readonly max: number; readonly maxPerAuthor: number }): DownloadSlots {
  const held = new Map<string, number>()
  const waiting = new Set<Waiter>()
  let taken = 0

  const heldBy = (author: string) => held.get(author) ?? 0
  const mayHaveOne = ({ author }: Waiter) => heldBy(author) < init.maxPerAuthor

  /** Of those who have the fewest slots, the one that has waited longest. */
  function next(): Waiter | undefined {
    if (taken >= init.max) return undefined
    const [first] = [...waiting].filter(mayHaveOne).sort((a, b) => heldBy(a.author) - heldBy(b.author))
    return first
  }

  function assign(): void {
    for (let waiter = next(); waiter !== undefined; waiter = next()) {
      waiting.delete(waiter)
      taken++
      held.set(waiter.author, heldBy(waiter.author) + 1)
      waiter.begin()
    }
  }

  function giveBack(author: string): void {
    taken--
    if (heldBy(author) === 1) held.delete(author)
    else held.set(author, heldBy(author) - 1)
    assign()
  }

  function turn(author: string, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { author, begin: resolve }
    const leave = () => {
      if (waiting.delete(waiter)) reject(signal?.reason)
    }
    waiting.add(waiter)
    signal?.addEventListener('abort', leave, { once: true })
    assign()
    return promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  return {
    async run(author, work, signal) {
      signal?.throwIfAborted()
      await turn(author, signal)
      try {
        return await work()
      } finally {
        giveBack(author)
      }
    },
    othersWait: (author) => [...waiting].some((waiter) => waiter.author !== author && mayHaveOne(waiter)),
  }
}
