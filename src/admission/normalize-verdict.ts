import type { Verdict } from '../base/verdict.ts'

/** As it comes back from the journal. */
export function plain(verdict: Verdict | undefined): unknown {
  return verdict === undefined ? undefined : JSON.parse(JSON.stringify(verdict))
}
