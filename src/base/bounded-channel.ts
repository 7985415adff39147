// Ours, not a library: a reader that is too slow loses the oldest values, not the memory of the node.

/** Values pushed at one end, iterated at the other; at most `max` wait, then the oldest goes. */
export interface Channel<T> extends AsyncIterable<T> {
  push(value: T): void
  /** No more values; what waits is still handed out. */
  end(error?: unknown): void
  readonly dropped: number
}

export function createChannel<T>(max: number): Channel<T> {
  const waiting: T[] = []
  let wake: (() => void) | undefined
  let ended: { error?: unknown } | undefined
  let dropped = 0
  async function* values(): AsyncGenerator<T> {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift() as T
      if (ended !== undefined) {
        if (ended.error !== undefined) throw ended.error
        return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    push(value) {
      if (ended !== undefined) return
      if (waiting.length >= max) {
        waiting.shift()
        dropped++
      }
      waiting.push(value)
      wake?.()
    },
    end(error) {
      ended ??= { error }
      wake?.()
    },
    get dropped() {
      return dropped
    },
    [Symbol.asyncIterator]: values,
  }
}
