/** Connections whose handshake is under way, with a share for each address. */
export interface PendingConnections {
  /**
   * A connection begins its handshake. Where its address has its share already, the oldest of that address is evicted;
   * if all slots are in use, the oldest of the address that has most. So a new connection from an address below its share
   * always gets a slot. Dispose what it returns when the handshake is over.
   */
  enter(address: string, evict: (reason: string) => void): Disposable
  readonly size: number
}

type Entry = { readonly evict: (reason: string) => void }

export function createPendingConnections(init: { max: number; perAddress: number }): PendingConnections {
  // of one address, the oldest comes first; the address whose oldest has waited longest comes first too
  const waiting = new Map<string, Set<Entry>>()
  let size = 0

  const leave = (address: string, entry: Entry) => {
    const own = waiting.get(address)
    if (own?.delete(entry) !== true) return
    size--
    if (own.size === 0) waiting.delete(address)
  }
  const greediest = (coming: string): string | undefined => {
    let found: { address: string; count: number } | undefined
    for (const [address, { size }] of waiting) {
      const count = size + (address === coming ? 1 : 0)
      if (found === undefined || count > found.count) found = { address, count }
    }
    return found?.address
  }
  const evictOldest = (address: string | undefined, reason: string) => {
    const entry = address === undefined ? undefined : waiting.get(address)?.values().next().value
    if (address === undefined || entry === undefined) return
    leave(address, entry)
    entry.evict(reason)
  }

  return {
    enter(address, evict) {
      if ((waiting.get(address)?.size ?? 0) >= init.perAddress) {
        evictOldest(address, 'too many handshakes of this address')
      } else if (size >= init.max) {
        evictOldest(greediest(address), 'too many handshakes')
      }
      const entry: Entry = { evict }
      const own = waiting.get(address) ?? new Set()
      waiting.set(address, own.add(entry))
      size++
      return { [Symbol.dispose]: () => leave(address, entry) }
    },
    get size() {
      return size
    },
  }
}
