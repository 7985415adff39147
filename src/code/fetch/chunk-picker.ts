import { raceSignal } from 'race-signal'
import type { Clock } from '../../base/clock.ts'
import type { Rng } from '../../base/rng.ts'
import {
  MAX_PROVIDERS_AT_ONCE,
  MIN_CHUNKS_AHEAD,
  REFUSED_MS,
  REQUESTS_AHEAD,
  SLOW_CHUNK_FACTOR,
  SLOW_MS,
  WINDOW_MS,
} from '../constants.ts'

const MAX_CHUNKS_AHEAD = MAX_PROVIDERS_AT_ONCE * REQUESTS_AHEAD

/** One provider, as the picker knows it. */
export interface Assignee {
  /** A chunk that it owes has come from another. */
  superseded(): void
}

/**
 * Which chunk is requested from which provider: the one that most providers did not have, and of equal ones any, so that
 * nodes that fetch at the same time get different chunks and can give them to each other. Every chunk is assigned to one
 * provider at a time; only where nothing else is left is a chunk that is slow to come also assigned to another.
 */
export interface ChunkPicker {
  /** The next chunk for this provider; undefined where there is none now. */
  next(to: Assignee): number | undefined
  /** Is the chunk still to come? */
  wants(index: number): boolean
  /** The provider will not bring it. */
  release(from: Assignee, index: number): void
  /** The provider does not give it now; it is not asked for it again for a while. */
  refused(by: Assignee, index: number): void
  /** It is on the disk. */
  completed(index: number): void
  /** The provider is gone, with what it owed. */
  forget(peer: Assignee): void
  readonly done: boolean
  /** Resolves when there may be something to take, or all is done. */
  waitForChange(options: { signal: AbortSignal }): Promise<void>
}

export function createChunkPicker(
  { clock, rng }: { clock: Clock; rng: Rng },
  count: number,
  has: (index: number) => boolean,
): ChunkPicker {
  const missing = new Set(Array.from({ length: count }, (_, index) => index).filter((index) => !has(index)))
  const free = shuffled([...missing], rng)
  const assigned = new Map<number, Map<Assignee, number>>()
  /** When each provider that did not give a chunk may be asked for it again. */
  const refusals = new Map<number, Map<Assignee, number>>()
  const waiters = new Set<() => void>()
  /** Chunks that may be on their way: a line that is full with few carries each of them sooner. */
  let ahead = MIN_CHUNKS_AHEAD
  /** ms that chunks take to come, the last ones above all: on a slow line all of them take long. */
  let usualMs = 0

  const wake = () => {
    for (const waiter of [...waiters]) waiter()
  }
  const assign = (to: Assignee, index: number) => {
    const assignees = assigned.get(index) ?? new Map<Assignee, number>()
    assigned.set(index, assignees.set(to, clock.monotonic()))
    return index
  }
  const mayAsk = (peer: Assignee, index: number) => (refusals.get(index)?.get(peer) ?? 0) <= clock.monotonic()

  const age = (assignees: Map<Assignee, number>) => clock.monotonic() - (assignees.values().next().value ?? 0)

  const slowMs = () => Math.max(SLOW_MS, SLOW_CHUNK_FACTOR * usualMs)

  /** Chunks that stopped coming do not count: those that come may take their place. */
  function hasRoom(): boolean {
    let coming = 0
    for (const assignees of assigned.values()) if (age(assignees) < slowMs()) coming++
    return coming < ahead
  }

  function rarestFree(to: Assignee): number {
    let [place, rarity] = [-1, -1]
    for (const [at, index] of free.entries()) {
      const refusedBy = refusals.get(index)?.size ?? 0
      if (refusedBy <= rarity || !mayAsk(to, index)) continue
      ;[place, rarity] = [at, refusedBy]
      if (refusals.size === 0) break
    }
    return place
  }

  function release(from: Assignee, index: number): void {
    const assignees = assigned.get(index)
    if (assignees?.delete(from) !== true || assignees.size > 0) return
    assigned.delete(index)
    free.unshift(index)
    wake()
  }

  return {
    next(to) {
      const place = hasRoom() ? rarestFree(to) : -1
      if (place >= 0) return assign(to, free.splice(place, 1)[0] as number)
      for (const [index, assignees] of assigned) {
        const since = Math.max(...assignees.values())
        const isSlow = clock.monotonic() - since >= slowMs()
        if (isSlow && !assignees.has(to) && mayAsk(to, index)) return assign(to, index)
      }
      return undefined
    },
    wants: (index) => missing.has(index),
    release,
    refused(by, index) {
      const peers = refusals.get(index) ?? new Map<Assignee, number>()
      refusals.set(index, peers.set(by, clock.monotonic() + REFUSED_MS))
      release(by, index)
    },
    completed(index) {
      if (!missing.delete(index)) return
      const assignees = assigned.get(index) ?? new Map<Assignee, number>()
      assigned.delete(index)
      refusals.delete(index)
      // of the provider that was asked last: the one before it may never have sent anything
      const tookMs = clock.monotonic() - Math.max(...assignees.values())
      if (assignees.size > 0) usualMs += (tookMs - usualMs) / 4
      if (age(assignees) <= WINDOW_MS) ahead = Math.min(MAX_CHUNKS_AHEAD, ahead + 1)
      else if (age(assignees) > 2 * WINDOW_MS) ahead = Math.max(MIN_CHUNKS_AHEAD, ahead - 1)
      for (const assignee of assignees.keys()) assignee.superseded()
      wake()
    },
    forget(peer) {
      for (const [index, peers] of refusals) if (peers.delete(peer) && peers.size === 0) refusals.delete(index)
      for (const [index, assignees] of [...assigned]) if (assignees.has(peer)) release(peer, index)
    },
    get done() {
      return missing.size === 0
    },
    async waitForChange({ signal }) {
      const { promise, resolve } = Promise.withResolvers<void>()
      using _timer = clock.after(REFUSED_MS, resolve)
      waiters.add(resolve)
      try {
        await raceSignal(promise, signal)
      } finally {
        waiters.delete(resolve)
      }
    },
  }
}

function shuffled(values: number[], rng: Rng): number[] {
  for (let at = values.length - 1; at > 0; at--) {
    const other = rng.int(at + 1)
    ;[values[at], values[other]] = [values[other] as number, values[at] as number]
  }
  return values
}
