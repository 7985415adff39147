import type { Clock, Timer } from '../../../src/base/clock.ts'

type Due = { at: number; order: number; callback: (() => void) | undefined }

/** Time that passes as fast as the machine allows, for many nodes: what is due first happens first. */
export function createVirtualTime() {
  const heap: Due[] = []
  let time = 0
  let order = 0

  const before = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(due: Due): void {
    heap.push(due)
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(heap[at] as Due, heap[parent] as Due)) break
      ;[heap[at], heap[parent]] = [heap[parent] as Due, heap[at] as Due]
      at = parent
    }
  }

  function pop(): Due | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && before(heap[child] as Due, heap[least] as Due)) least = child
      }
      if (least === at) return first
      ;[heap[at], heap[least]] = [heap[least] as Due, heap[at] as Due]
      at = least
    }
  }

  function after(ms: number, callback: () => void): Timer {
    const due: Due = { at: time + Math.max(0, ms), order: order++, callback }
    push(due)
    const cancel = () => {
      due.callback = undefined
    }
    return { cancel, [Symbol.dispose]: cancel }
  }

  function every(ms: number, callback: () => void): Timer {
    let timer = after(ms, again)
    function again() {
      timer = after(ms, again)
      callback()
    }
    const cancel = () => timer.cancel()
    return { cancel, [Symbol.dispose]: cancel }
  }

  return {
    after,
    sleep: (ms: number) => new Promise<void>((resolve) => void after(ms, resolve)),
    now: () => time,
    /** A node's own clock: its wall clock is wrong by so much. */
    clockWith: (skewMs: number): Clock => ({
      now: () => 1_700_000_000_000 + time + skewMs,
      monotonic: () => time + 5_000 + Math.abs(skewMs),
      after,
      every,
    }),
    async advance(ms: number): Promise<void> {
      const until = time + ms
      while (heap[0] !== undefined && heap[0].at <= until) {
        const due = pop()
        if (due?.callback === undefined) continue
        time = due.at
        due.callback()
        // what the callback resolves goes on before the next one
        await new Promise((resolve) => setImmediate(resolve))
      }
      time = until
    },
  }
}
