import { EPOCH_TICKS } from './constants.ts'

/** Events are numbers: what falls on the same tick happens in their order. */
export interface Calendar {
  add(tick: number, event: number): void
  /** The first tick that has events, not before `from`; undefined where nothing is left. */
  next(from: number): number | undefined
  /** What falls on this tick, in order. Valid until the next call. */
  take(tick: number): Float64Array
  readonly size: number
}

/** Events that lie together. */
const CHUNK = 64
/** Chunks that are allocated together. */
const SEGMENT = 1024
const NO_CHUNK = -1

/**
 * A calendar queue. Events of the current epoch lie in chunks for each tick; those of later epochs beside their ticks, until
 * their epoch begins. The order within a tick is that of the events, not that of their coming: so it does not depend on who
 * added them, or when.
 */
export function createCalendar(): Calendar {
  const segments: Float64Array[] = []
  const free: number[] = []
  /** of each chunk, the one that was begun before it for the same tick */
  let before = new Int32Array(SEGMENT)
  let chunks = 0
  const newest = new Int32Array(EPOCH_TICKS).fill(NO_CHUNK)
  const counts = new Uint32Array(EPOCH_TICKS)
  const later = new Map<number, { list: Float64Array; used: number; first: number }>()
  let sorted = new Float64Array(1024)
  let epoch = 0
  let size = 0

  function newChunk(previous: number): number {
    let chunk = free.pop()
    if (chunk === undefined) {
      if (chunks % SEGMENT === 0) segments.push(new Float64Array(SEGMENT * CHUNK))
      chunk = chunks++
      if (chunk >= before.length) {
        const larger = new Int32Array(2 * before.length)
        larger.set(before)
        before = larger
      }
    }
    before[chunk] = previous
    return chunk
  }

  function put(slot: number, event: number): void {
    const count = counts[slot] as number
    let chunk = newest[slot] as number
    if (count % CHUNK === 0) {
      chunk = newChunk(chunk)
      newest[slot] = chunk
    }
    const segment = segments[(chunk / SEGMENT) | 0] as Float64Array
    segment[(chunk % SEGMENT) * CHUNK + (count % CHUNK)] = event
    counts[slot] = count + 1
  }

  function postpone(of: number, tick: number, event: number): void {
    const waiting = later.get(of) ?? { list: new Float64Array(64), used: 0, first: tick }
    later.set(of, waiting)
    if (waiting.used === waiting.list.length) {
      const larger = new Float64Array(2 * waiting.used)
      larger.set(waiting.list)
      waiting.list = larger
    }
    waiting.first = Math.min(waiting.first, tick)
    waiting.list[waiting.used++] = tick
    waiting.list[waiting.used++] = event
  }

  function begin(next: number): void {
    epoch = next
    const waiting = later.get(next)
    later.delete(next)
    if (waiting === undefined) return
    for (let at = 0; at < waiting.used; at += 2)
      put((waiting.list[at] as number) % EPOCH_TICKS, waiting.list[at + 1] as number)
  }

  return {
    add(tick, event) {
      size++
      const of = Math.floor(tick / EPOCH_TICKS)
      if (of === epoch) put(tick % EPOCH_TICKS, event)
      else postpone(of, tick, event)
    },
    next(from) {
      if (size === 0) return undefined
      const end = (epoch + 1) * EPOCH_TICKS
      for (let tick = Math.max(from, epoch * EPOCH_TICKS); tick < end; tick++)
        if ((counts[tick % EPOCH_TICKS] as number) > 0) return tick
      return later.get(Math.min(...later.keys()))?.first
    },
    take(tick) {
      // only now: before, something may be added that comes earlier
      const of = Math.floor(tick / EPOCH_TICKS)
      if (of > epoch) begin(of)
      const slot = tick % EPOCH_TICKS
      const count = counts[slot] as number
      if (count > sorted.length) sorted = new Float64Array(2 * count)
      let filled = count
      for (let chunk = newest[slot] as number; chunk !== NO_CHUNK; chunk = before[chunk] as number) {
        // all but the newest are full
        const used = filled % CHUNK || CHUNK
        filled -= Math.min(used, filled)
        const start = (chunk % SEGMENT) * CHUNK
        sorted.set(
          (segments[(chunk / SEGMENT) | 0] as Float64Array).subarray(start, start + Math.min(used, count)),
          filled,
        )
        free.push(chunk)
      }
      newest[slot] = NO_CHUNK
      counts[slot] = 0
      size -= count
      return sorted.subarray(0, count).sort()
    },
    get size() {
      return size
    },
  }
}
