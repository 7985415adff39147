import type { RunFacts } from './types.ts'

/** What must be so in the end has as long to come about, as a share of the run. */
const SHARE = 0.25
const MOST_MS = 60_000

/** What happened later than this may still be under way when the run ends. */
export function settledBeforeMs({ seconds }: RunFacts): number {
  return seconds * 1000 - Math.min(MOST_MS, seconds * 1000 * SHARE)
}
