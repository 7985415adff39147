import { anySignal } from 'any-signal'
import { SupersededError } from './errors.ts'

/** Searches for one code that go on beside each other: what one of them brings ends the others. */
export interface Arrivals {
  /** Aborted when the code is here, and with `signal`; to be disposed when the search is over. */
  watch(code: string, signal: AbortSignal | undefined): { readonly signal: AbortSignal } & Disposable
  /** The code is here. */
  arrived(code: string): void
}

export function createArrivals(): Arrivals {
  const searches = new Map<string, Set<AbortController>>()

  return {
    watch(code, outer) {
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
    arrived(code) {
      for (const search of searches.get(code) ?? []) search.abort(new SupersededError('the code came by another way'))
    },
  }
}
