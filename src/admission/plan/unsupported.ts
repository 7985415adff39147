import type { ServiceBody } from '../../../protocols/service.ts'
import type { Reason } from '../../base/verdict.ts'

/** Why a run is not carried out although the policy allows it: it asks for what this version of the node does not do. */
export function unsupportedReason({ check, outputs }: ServiceBody['run']): Reason | undefined {
  const field = check !== undefined ? 'run.check' : outputs !== undefined ? 'run.outputs' : undefined
  if (field === undefined) return undefined
  return { rule: 'node', outcome: 'fail', message: `this version of the node does not do what ${field} asks for` }
}
