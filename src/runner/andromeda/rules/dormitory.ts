import type { Reason, WakeCondition } from '../../../base/verdict.ts'
import { joinWhole, pass } from '../reasons.ts'
import type { RuleContext } from '../rule.ts'

const name = 'dormitory'
/** A verdict holds no more. */
const MAX_CONDITIONS = 16

/**
 * Whether a service that cannot run yet waits for what would let it: only where nothing but waiting is needed, and only
 * where DORMITORY parks any. No reason where nothing was deferred.
 */
export function dormitory(
  { config: { DORMITORY } }: RuleContext,
  outcome: { readonly failed: boolean; readonly conditions: readonly WakeCondition[] },
): { park: readonly WakeCondition[]; reason: Reason | undefined } {
  const conditions = new Map(outcome.conditions.map((condition) => [describeCondition(condition), condition]))
  if (conditions.size === 0) return { park: [], reason: undefined }
  const no = (why: string) => ({ park: [], reason: pass(name, `not parked: ${why}`) })
  if (outcome.failed) return no('waiting alone would not let it run')
  if (DORMITORY.MAX === 0) return no('DORMITORY.MAX is 0')
  if (DORMITORY.TTL_SECONDS === 0) return no('DORMITORY.TTL_SECONDS is 0')
  const park = [...conditions.values()].slice(0, MAX_CONDITIONS)
  return { park, reason: pass(name, `may wait for ${joinWhole(park.map(describeCondition))}`) }
}

function describeCondition(condition: WakeCondition): string {
  if (condition.on === 'quorum') return 'a statement about the code'
  if (condition.on === 'freeze') return `a freeze statement on ${condition.chain}`
  if (condition.on === 'delegation') return 'a delegation for the author'
  return condition.on
}
