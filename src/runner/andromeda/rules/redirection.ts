import type { Reason } from '../../../base/verdict.ts'
import type { ReceivedService } from '../../contract.ts'
import { pass } from '../reasons.ts'
import type { RuleContext } from '../rule.ts'

const name = 'redirection'

/**
 * Whether a service is redirected, after it is known whether it runs here and whether a rule dropped it. How far it still
 * travels depends on the ticket: a service whose depth is used up may arrive again with more.
 */
export function redirection(
  service: ReceivedService,
  { config: { REDIRECT, REDIRECTION_DEPTH } }: RuleContext,
  outcome: { readonly runs: boolean; readonly droppedBy: string | undefined },
): { redirect: boolean; reason: Reason } {
  const no = (why: string) => ({ redirect: false, reason: pass(name, `not redirected: ${why}`) })
  const yes = (why: string) => ({ redirect: true, reason: pass(name, `redirected: ${why}`) })
  if (outcome.droppedBy !== undefined) return no(`what fails ${outcome.droppedBy} is dropped`)
  if (REDIRECT === 'never') return no('REDIRECT is "never"')
  if (REDIRECTION_DEPTH === 0) return no('REDIRECTION_DEPTH is 0')
  if (REDIRECT === 'always') return yes('REDIRECT is "always"')
  if (!outcome.runs) return yes('it does not run here')
  if (service.replicas > 1) return yes(`it wants ${service.replicas} replicas`)
  return no('it runs here and wants one replica')
}
