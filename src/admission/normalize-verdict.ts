import type { Verdict } from '../base/verdict.ts'

/** As it comes back from the journal. */
export function normalizeVerdict(verdict: Verdict | undefined): unknown {
  return verdict === undefined ? undefined : JSON.parse(JSON.stringify(verdict))
}
