export interface TimerQueue {
  /** Calls back at `at`; returns how to cancel that. */
  add(at: number, callback: () => void): () => void
  /** Takes out the first that is due at `until` or before; of two at one time, the one that was added first. */
  takeDue(until: number): { readonly at: number; readonly callback: () => void } | undefined
}

type Entry = { readonly at: number; readonly order: number; callback: (() => void) | undefined }

/** Entries that were cancelled stay until they are due, or are more than the others and so many. */
const COMPACT_FROM = 64

/** Callbacks by their time: a binary heap. */
export function createTimerQueue(): TimerQueue {
  let heap: Entry[] = []
  let order = 0
  let cancelled = 0

  function add(at: number, callback: () => void): () => void {
    const entry: Entry = { at, order: order++, callback }
    heap.push(entry)
    siftUp(heap)
    return () => {
      if (entry.callback === undefined) return
      entry.callback = undefined
      cancelled++
      if (cancelled >= COMPACT_FROM && cancelled * 2 > heap.length) compact()
    }
  }

  /** What is sorted is a heap. */
  function compact(): void {
    heap = heap.filter(({ callback }) => callback !== undefined).sort((a, b) => (isBefore(a, b) ? -1 : 1))
    cancelled = 0
  }

  return {
    add,
    takeDue(until) {
      for (let first = heap[0]; first !== undefined && first.at <= until; first = heap[0]) {
        removeFirst(heap)
        const { at, callback } = first
        if (callback !== undefined) {
          // a cancel that comes later has nothing to cancel
          first.callback = undefined
          return { at, callback }
        }
        cancelled--
      }
      return undefined
    },
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** The last entry goes to its place. */
function siftUp(heap: Entry[]): void {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1
    if (!isBefore(heap[at] as Entry, heap[parent] as Entry)) return
    swap(heap, at, parent)
    at = parent
  }
}

function removeFirst(heap: Entry[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  heap[0] = last
  for (let at = 0; ; ) {
    let least = at
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && isBefore(heap[child] as Entry, heap[least] as Entry)) least = child
    }
    if (least === at) return
    swap(heap, at, least)
    at = least
  }
}

function swap(heap: Entry[], a: number, b: number): void {
  const entry = heap[a] as Entry
  heap[a] = heap[b] as Entry
  heap[b] = entry
}
