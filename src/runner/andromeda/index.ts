import type { Reason, Verdict } from '../../base/verdict.ts'
import type { ReceivedService } from '../contract.ts'
import { grantFor } from './grant.ts'
import type { Rule, RuleContext } from './rule.ts'
import { capacity } from './rules/capacity.ts'
import { descLength } from './rules/desc-length.ts'
import { keywords } from './rules/keywords.ts'
import { limits } from './rules/limits.ts'
import { network } from './rules/network.ts'
import { redirection } from './rules/redirection.ts'
import { toolchain } from './rules/toolchain.ts'
import { trust } from './rules/trust.ts'
import { unproven } from './rules/unproven.ts'

/** In order of cost: free checks first, what needs statements of others last. */
export const rules: readonly Rule[] = [
  descLength,
  keywords,
  toolchain,
  network,
  limits,
  capacity,
  trust,
  unproven,
].sort((a, b) => a.cost - b.cost)

/**
 * The default runner: the operator's configuration, nothing else. Pure and synchronous. The first rule that does not
 * pass decides what becomes of the service; all are asked, so that the reasons say everything that stands in its way.
 */
export function andromeda(service: ReceivedService, node: RuleContext): Verdict {
  const reasons: Reason[] = []
  let first: Rule | undefined
  for (const rule of rules) {
    for (const reason of rule.decide(service, node)) {
      if (reason.outcome !== 'pass') first ??= rule
      reasons.push(reason)
    }
  }
  const grant = first === undefined ? grantFor(service, node) : undefined
  const droppedBy = first?.failing === 'drop' ? first.name : undefined
  const { redirect, reason } = redirection(service, node, { runs: grant !== undefined, droppedBy })
  return { run: grant ?? false, redirect, reasons: [...reasons, reason] }
}
