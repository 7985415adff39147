import { anySignal } from 'any-signal'
import { SupersededError } from './errors.ts'

/** Searches for one code that go on beside each other: what one of them finds ends the others. */
export interface ParallelSearches {
  /** Begins one. `signal` is aborted when the code is found, and with `outer`; to be disposed when the search is over. */
  join(code: string, outer: AbortSignal | undefined): { readonly signal: AbortSignal } & Disposable
  /** The code is here. */
  found(code: string): void
}

export function createParallelSearches(): ParallelSearches {
  const searches = new Map<string, Set<AbortController>>()

  return {
    join(code, outer) {
      const search = new AbortController()
      const beside = searches.get(code) ?? new Set()
      searches.set(code, beside.add(search))
      const signal = anySignal([search.signal, outer])
      return {
        signal,
        [Symbol.dispose]() {
          signal.clear()
          beside.delete(search)
          if (beside.size === 0) searches.delete(code)
        },
      }
    },
    found(code) {
      for (const search of searches.get(code) ?? []) search.abort(new SupersededError('the code came by another way'))
    },
  }
}
