/** Lines that wait for the reader; then their sources wait. */
const MAX_WAITING = 256

/** Several sources read at the same time; more may be added while they are. Ends when `close` was called and all have ended. */
export interface Merge<T> extends AsyncIterable<T> {
  /** `ended` is called when it has, with its failure if it failed. */
  add(source: AsyncIterable<T>, ended: (error?: unknown) => void): void
  close(error?: unknown): void
}

export function createMerge<T>(): Merge<T> {
  const waiting: T[] = []
  const waitingForCapacity = new Set<() => void>()
  let wake: (() => void) | undefined
  let open = 0
  let closed: { error?: unknown } | undefined
  const changed = () => wake?.()

  async function pump(source: AsyncIterable<T>): Promise<void> {
    for await (const value of source) {
      waiting.push(value)
      changed()
      if (waiting.length >= MAX_WAITING) await new Promise<void>((resolve) => waitingForCapacity.add(resolve))
    }
  }

  return {
    add(source, ended) {
      open++
      pump(source)
        .then(
          () => ended(),
          (error: unknown) => ended(error),
        )
        .finally(() => {
          open--
          changed()
        })
    },
    close(error) {
      closed ??= { error }
      changed()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (waiting.length > 0) {
          yield waiting.shift() as T
          if (waiting.length < MAX_WAITING / 2) {
            for (const resolve of waitingForCapacity) resolve()
            waitingForCapacity.clear()
          }
        }
        if (closed?.error !== undefined) throw closed.error
        if (closed !== undefined && open === 0) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
