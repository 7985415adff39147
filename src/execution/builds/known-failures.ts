import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { LogLine } from '../../base/run-record.ts'

/** How long a build that failed is not tried again. */
const REMEMBER_MS = 5 * 60_000
/** With their last lines, 16 KiB each at most. */
const MAX_FAILURES = 256

export type BuildFailure = { readonly message: string; readonly lines: readonly LogLine[] }

/** Builds that failed a moment ago: the same build would fail again, and cost as much. */
export interface KnownFailures {
  /** With when it is tried again, in ms since 1970. */
  find(key: string): (BuildFailure & { readonly until: number }) | undefined
  add(key: string, failure: BuildFailure): void
}

/** It is a duration, on the monotonic clock; what is shown of it is a date. */
export function createKnownFailures(clock: Clock): KnownFailures {
  const failures = new LruMap<string, BuildFailure & { readonly untilMs: number }>(MAX_FAILURES)
  return {
    find(key) {
      const found = failures.get(key)
      if (found === undefined) return undefined
      const leftMs = found.untilMs - clock.monotonic()
      if (leftMs > 0) return { message: found.message, lines: found.lines, until: clock.now() + leftMs }
      failures.delete(key)
      return undefined
    },
    add: (key, failure) => failures.set(key, { ...failure, untilMs: clock.monotonic() + REMEMBER_MS }),
  }
}
