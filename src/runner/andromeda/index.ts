import type { Reason, Verdict, WakeCondition } from '../../base/verdict.ts'
import type { ReceivedService } from '../contract.ts'
import { evictionFor } from './eviction.ts'
import { grantFor } from './grant.ts'
import { rankOf } from './ranking.ts'
import type { Rule, RuleContext } from './rule.ts'
import { dormitory } from './rules/dormitory.ts'
import { redirection } from './rules/redirection.ts'
import { rules } from './rules.ts'

export { rules }

/**
 * The default runner: the operator's configuration, nothing else. Pure and synchronous. Every rule is asked, so that the
 * reasons name every obstacle. A service runs when none fails or defers; one that drops it drops it
 * whatever the others say; what is only deferred may wait.
 */
export function andromeda(service: ReceivedService, node: RuleContext): Verdict {
  const reasons: Reason[] = []
  const conditions: WakeCondition[] = []
  let failed = false
  let droppedBy: string | undefined
  for (const rule of rules) {
    const answers = answersOf(rule, service, node)
    for (const { outcome } of answers) {
      if (outcome === 'fail') failed = true
      if (outcome !== 'pass' && rule.onFail === 'drop') droppedBy ??= rule.name
    }
    if (answers.some(({ outcome }) => outcome === 'defer'))
      conditions.push(...(rule.wakeConditions?.(service, node) ?? []))
    reasons.push(...answers)
  }
  const runs = reasons.every(({ outcome }) => outcome === 'pass')
  const grant = runs ? grantFor(service, node) : undefined
  const { redirect, reason } = redirection(service, node, { runs: grant !== undefined, droppedBy })
  const { park, reason: parkReason } = dormitory(node, { failed, conditions })
  const evicted = grant === undefined ? [] : (evictionFor(service, node) ?? [])
  return {
    run: grant ?? false,
    redirect,
    ...(park.length > 0 && { park }),
    ...(evicted.length > 0 && { evict: evicted.map(({ id }) => id) }),
    rank: rankOf(service, node.config),
    reasons: [...reasons, ...(parkReason === undefined ? [] : [parkReason]), reason],
  }
}

/** A rule in mode "warn" passes, and says what it would have done. */
function answersOf(rule: Rule, service: ReceivedService, node: RuleContext): Reason[] {
  const answers = rule.decide(service, node)
  if (node.config.MODES[rule.name] !== 'warn') return answers
  return answers.map((reason) => {
    if (reason.outcome === 'pass') return reason
    return { ...reason, outcome: 'pass', message: `only a warning: ${reason.message}`, warned: reason.outcome }
  })
}
