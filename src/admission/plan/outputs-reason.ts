import type { ServiceBody } from '../../../protocols/service.ts'
import type { Reason } from '../../base/verdict.ts'

/**
 * Why a task is not carried out although the policy allows it: its author wants what it leaves, and this node keeps nothing.
 * Another node may. `resultBytes`: LIMITS.RESULTS.BYTES.
 */
export function outputsReason(
  { outputs }: Pick<ServiceBody['run'], 'outputs'>,
  resultBytes: number,
): Reason | undefined {
  if (outputs === undefined || resultBytes > 0) return undefined
  const message = 'this node keeps nothing of what a task leaves (run.outputs): LIMITS.RESULTS.BYTES is 0'
  return { rule: 'node', outcome: 'fail', message }
}
