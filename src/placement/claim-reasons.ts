import { RUN_RULES } from '../../protocols/receipt.ts'
import type { Reason } from '../base/verdict.ts'
import type { OwnClaim } from './own-claims.ts'

/** Exits in a row without a healthy run between them, after which another node is to take over. */
const FAILURES = 2

/** Has its run failed so often that its claim precedes no other? `failures`: since it was healthy last. */
export function isLeaving(failures: number): boolean {
  return failures >= FAILURES
}

/** How this node's claim ranks, as a reason of its receipt; none where the state alone says it. */
export function claimReasons(claim: OwnClaim | undefined, failures: number): Reason[] {
  if (isLeaving(failures)) {
    const message = `leaving: its run ended ${failures} times and was not healthy since, so another node may take over`
    return [{ rule: RUN_RULES.claim, outcome: 'defer', message }]
  }
  if (claim === undefined || claim.stands) return []
  const message = 'claiming: it asks the nodes that it reaches whether its run is wanted'
  return [{ rule: RUN_RULES.claim, outcome: 'defer', message }]
}
