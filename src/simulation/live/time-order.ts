/**
 * What several processes tell, in the order of its times. Each tells its own in order, and now and then how far it is: until
 * all are that far, what the others told waits.
 */
export interface TimeOrder<T> {
  add(source: number, at: number, item: T): void
  /** Nothing of before `at` comes from it any more. */
  mark(source: number, at: number): void
  /** All that waits, whatever may still come. */
  flush(): void
}

type Source<T> = { readonly waiting: { readonly at: number; readonly item: T }[]; next: number; mark: number }

export function createTimeOrder<T>(sources: number, onItem: (at: number, item: T) => void): TimeOrder<T> {
  const all = Array.from({ length: sources }, (): Source<T> => ({ waiting: [], next: 0, mark: 0 }))
  const of = (source: number) => all[source] as Source<T>

  /** The one whose next item is the earliest. */
  function earliest(): Source<T> | undefined {
    let found: Source<T> | undefined
    let foundAt = Number.POSITIVE_INFINITY
    for (const source of all) {
      const at = source.waiting[source.next]?.at ?? Number.POSITIVE_INFINITY
      if (at < foundAt) [found, foundAt] = [source, at]
    }
    return found
  }

  function release(until: number): void {
    for (let source = earliest(); source !== undefined; source = earliest()) {
      const { at, item } = source.waiting[source.next] as { at: number; item: T }
      if (at > until) return
      source.next++
      if (source.next === source.waiting.length) {
        source.waiting.length = 0
        source.next = 0
      }
      onItem(at, item)
    }
  }

  const mark = (source: number, at: number) => {
    of(source).mark = Math.max(of(source).mark, at)
  }
  return {
    add(source, at, item) {
      // one that is late all the same comes when it can
      of(source).waiting.push({ at: Math.max(at, of(source).mark), item })
      mark(source, at)
    },
    mark(source, at) {
      mark(source, at)
      release(Math.min(...all.map((each) => each.mark)))
    },
    flush: () => release(Number.POSITIVE_INFINITY),
  }
}
