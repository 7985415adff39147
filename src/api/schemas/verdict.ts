import type { ReceiptBody } from '../../../protocols/receipt.ts'
import type { ExecutorName, Reason, Verdict, WakeCondition } from '../../base/verdict.ts'
import type { ServiceView } from '../../node/types.ts'
import { array, boolean, everyOne, number, object, oneOf, type Shape, string, union } from '../shape.ts'

export const count = number

type Need = NonNullable<ReceiptBody['reasons'][number]['needs']>

const needSchema: Shape<Need> = object({
  field: string,
  must: everyOne<Need['must']>({ 'at-most': true, 'at-least': true, 'one-of': true, match: true, be: true }),
  value: string,
})

const rateKbps = count.optional()
export const networkSchema = union(
  object({ mode: oneOf('none') }),
  object({ mode: oneOf('allowlist'), allow: array(string), rateKbps }),
  object({ mode: oneOf('open'), rateKbps }),
)
const grantSchema = object({
  executor: everyOne<ExecutorName>({ docker: true, host: true, pool: true, swarm: true }),
  pool: string.optional(),
  memoryBytes: count,
  cpuMillicores: count,
  diskBytes: count,
  pids: count,
  timeoutSeconds: count.optional(),
  network: networkSchema,
})

const conditionSchema: Shape<WakeCondition> = union(
  object({ on: oneOf('capacity') }),
  object({
    on: oneOf('executor'),
    executor: everyOne<ExecutorName>({ docker: true, host: true, pool: true, swarm: true }),
  }),
  object({ on: oneOf('policy') }),
  object({ on: oneOf('quorum'), code: string }),
  object({ on: oneOf('freeze'), chain: string }),
  object({ on: oneOf('delegation'), author: string }),
  object({ on: oneOf('replica') }),
)

/** As the wire has it, and `warned`, which stays on its node. */
export const reasonSchema: Shape<Reason> = object({
  rule: string,
  outcome: everyOne<Reason['outcome']>({ pass: true, fail: true, defer: true }),
  message: string,
  needs: needSchema.optional(),
  warned: everyOne<NonNullable<Reason['warned']>>({ fail: true, defer: true }).optional(),
})

export const verdictSchema = object({
  run: union(oneOf(false), grantSchema),
  redirect: boolean,
  park: array(conditionSchema).optional(),
  evict: array(string).optional(),
  rank: count.optional(),
  reasons: array(reasonSchema),
}) as Shape<Verdict>

export const parkedFields = {
  ...{ since: count, until: count, on: array(conditionSchema) },
  ...{ drained: boolean.optional(), paused: boolean.optional() },
}
export const parkedSchema: Shape<NonNullable<ServiceView['parked']>> = object(parkedFields)
