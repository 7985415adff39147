import { addAbortListener } from 'node:events'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import { MAX_COUNTED_CHUNKS, MAX_SLOW_PEERS, UPLOAD_HOLD_MS, UPLOAD_WAIT_MS } from '../constants.ts'
import type { AbortOptions } from '../types.ts'
import { createUploadLimit } from './upload-limit.ts'

export type Upload = {
  readonly peer: string
  /** Names the chunk: the code and its place. */
  readonly chunk: string
  readonly bytes: number
}

/** A chunk on its way; to be disposed when it has left. */
export type UploadSlot = Disposable

/**
 * Which chunk is sent next, of those that peers wait for. Only as many are sent at once as the way out carries: one after
 * another, each arrives early, and its receiver can pass it on. The one that this node has sent least often goes first: so
 * the first copy of all of them leaves soon.
 */
export interface UploadQueue {
  /** Resolves when it is the chunk's turn; undefined where that takes too long: the peer had better ask another. */
  take(upload: Upload, options: AbortOptions): Promise<UploadSlot | undefined>
}

type Waiting = Upload & { readonly start: (slot: UploadSlot) => void }

export function createUploadQueue(clock: Clock): UploadQueue {
  const limit = createUploadLimit(clock)
  const waiting = new Set<Waiting>()
  const sent = new LruMap<string, number>(MAX_COUNTED_CHUNKS)
  /** Peers whose last chunk took long: they take little of the way out, and nobody waits for them. */
  const slow = new LruMap<string, true>(MAX_SLOW_PEERS)
  let active = 0

  function rarest(): Waiting | undefined {
    let [least, first] = [Number.POSITIVE_INFINITY, undefined as Waiting | undefined]
    for (const upload of waiting) {
      const count = sent.get(upload.chunk) ?? 0
      if (count < least) [least, first] = [count, upload]
    }
    return first
  }

  function startNext(): void {
    while (active < limit.current) {
      const next = rarest()
      if (next === undefined) return
      waiting.delete(next)
      next.start(occupy(next))
    }
  }

  function count(chunk: string): void {
    sent.set(chunk, (sent.get(chunk) ?? 0) + 1)
  }

  function occupy({ peer, chunk, bytes }: Upload): UploadSlot {
    count(chunk)
    active++
    let held = true
    const leave = () => {
      if (!held) return
      held = false
      timer.cancel()
      active--
      startNext()
    }
    const timer = clock.after(UPLOAD_HOLD_MS, () => {
      slow.set(peer, true)
      leave()
    })
    return {
      [Symbol.dispose]() {
        if (held) limit.sent(bytes, waiting.size > 0)
        leave()
      },
    }
  }

  /** Without a slot; a peer that is fast again gets slots again. */
  function besides({ peer, chunk }: Upload): UploadSlot {
    count(chunk)
    const startedAt = clock.monotonic()
    return {
      [Symbol.dispose]() {
        if (clock.monotonic() - startedAt < UPLOAD_HOLD_MS) slow.delete(peer)
      },
    }
  }

  return {
    async take(upload, { signal }) {
      if (slow.get(upload.peer) === true) return besides(upload)
      if (waiting.size === 0 && active < limit.current) return occupy(upload)
      const { promise, resolve } = Promise.withResolvers<UploadSlot | undefined>()
      const entry: Waiting = { ...upload, start: resolve }
      const leave = () => {
        if (waiting.delete(entry)) resolve(undefined)
      }
      waiting.add(entry)
      using _timer = clock.after(UPLOAD_WAIT_MS, leave)
      using _abort = signal && addAbortListener(signal, leave)
      return await promise
    },
  }
}
