import type { CID } from '../../protocols/encoding.ts'
import { DEFERRED_PULL_ATTEMPTS, DEFERRED_PULL_EVERY_MS, PEERS_PER_DEFERRED_PULL } from './constants.ts'

type DeferredPull = { readonly cid: CID; readonly peers: string[]; attempts: number; dueAt: number }

/**
 * What was ignored because of a quota or a full queue, and its sender: it is pulled from there later. When the list is
 * full, the peer with the most entries loses its oldest: a flood evicts the flood's entries.
 */
export interface DeferredPulls {
  /** False where something had to be dropped for it. */
  add(id: string, cid: CID, peer: string): boolean
  done(id: string): void
  /** Which peer to ask for which ids now, at most `max`, in turns from peer to peer. Asking counts as an attempt. */
  take(nowMs: number, max: number): Map<string, CID[]>
  readonly size: number
  /** Given up after the last attempt. */
  readonly lost: number
}

export function createDeferredPulls(max: number): DeferredPulls {
  const all = new Map<string, DeferredPull>()
  // the first peer of an entry owns it: its share of the list is what it brought
  const byOwner = new Map<string, Set<string>>()
  let lost = 0
  const remove = (id: string) => {
    const [owner] = all.get(id)?.peers ?? []
    all.delete(id)
    if (owner === undefined) return
    const ids = byOwner.get(owner)
    ids?.delete(id)
    if (ids?.size === 0) byOwner.delete(owner)
  }
  const evictOldest = () => {
    let most: Set<string> | undefined
    for (const ids of byOwner.values()) if (most === undefined || ids.size > most.size) most = ids
    for (const id of most ?? []) return remove(id)
  }
  return {
    add(id, cid, peer) {
      const known = all.get(id)
      if (known !== undefined) {
        if (known.peers.length < PEERS_PER_DEFERRED_PULL && !known.peers.includes(peer)) known.peers.push(peer)
        return true
      }
      const hasCapacity = all.size < max
      if (!hasCapacity) evictOldest()
      all.set(id, { cid, peers: [peer], attempts: 0, dueAt: 0 })
      byOwner.set(peer, (byOwner.get(peer) ?? new Set()).add(id))
      return hasCapacity
    },
    done: remove,
    take(nowMs, count) {
      const asks = new Map<string, CID[]>()
      const turns = [...byOwner.values()].map((ids) => [...ids].filter((id) => (all.get(id)?.dueAt ?? 0) <= nowMs))
      let left = count
      for (let turn = 0; left > 0 && turns.some((ids) => turn < ids.length); turn++) {
        for (const ids of turns) {
          const id = ids[turn]
          const pull = id === undefined ? undefined : all.get(id)
          if (id === undefined || pull === undefined || left === 0) continue
          left--
          const peer = pull.peers[pull.attempts % pull.peers.length] as string
          asks.set(peer, [...(asks.get(peer) ?? []), pull.cid])
          pull.dueAt = nowMs + DEFERRED_PULL_EVERY_MS * 2 ** pull.attempts
          pull.attempts++
          if (pull.attempts >= DEFERRED_PULL_ATTEMPTS) {
            lost++
            remove(id)
          }
        }
      }
      return asks
    },
    get size() {
      return all.size
    },
    get lost() {
      return lost
    },
  }
}
