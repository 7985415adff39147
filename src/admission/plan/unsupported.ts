import type { ServiceBody } from '../../../protocols/service.ts'
import type { Reason } from '../../base/verdict.ts'

/** Why a run is not carried out although the policy allows it: it asks for what this version of the node does not do. */
export function unsupportedReason({ outputs }: ServiceBody['run']): Reason | undefined {
  if (outputs === undefined) return undefined
  return { rule: 'node', outcome: 'fail', message: 'this version of the node does not do what run.outputs asks for' }
}
