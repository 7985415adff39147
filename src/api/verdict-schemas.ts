import { z } from 'zod'
import { needSchema } from '../../protocols/receipt.ts'
import type { Condition, ExecutorName, Reason, Verdict } from '../base/verdict.ts'
import type { ServiceView } from '../node/contract.ts'

/** Every state, and the compiler's word that none was forgotten. */
export function everyOne<T extends string>(words: Record<T, true>): z.ZodEnum<{ [K in T]: K }> {
  return z.enum(Object.keys(words) as T[]) as unknown as z.ZodEnum<{ [K in T]: K }>
}

export const count = z.number()

const rateKbps = count.optional()
const grantSchema = z.object({
  executor: everyOne<ExecutorName>({ docker: true, host: true }),
  memoryBytes: count,
  cpuMillicores: count,
  diskBytes: count,
  pids: count,
  timeoutSeconds: count.optional(),
  network: z.discriminatedUnion('mode', [
    z.object({ mode: z.literal('none') }),
    z.object({ mode: z.literal('allowlist'), allow: z.array(z.string()), rateKbps }),
    z.object({ mode: z.literal('open'), rateKbps }),
  ]),
})

const conditionSchema: z.ZodType<Condition> = z.discriminatedUnion('on', [
  z.object({ on: z.literal('capacity') }),
  z.object({ on: z.literal('policy') }),
  z.object({ on: z.literal('quorum'), code: z.string() }),
  z.object({ on: z.literal('freeze'), chain: z.string() }),
  z.object({ on: z.literal('delegation'), author: z.string() }),
  z.object({ on: z.literal('replica') }),
])

/** As the wire has it, and `warned`, which stays on its node. */
export const reasonSchema: z.ZodType<Reason> = z.object({
  rule: z.string(),
  outcome: everyOne<Reason['outcome']>({ pass: true, fail: true, defer: true }),
  message: z.string(),
  needs: needSchema.optional(),
  warned: everyOne<NonNullable<Reason['warned']>>({ fail: true, defer: true }).optional(),
})

export const verdictSchema = z.object({
  run: z.union([z.literal(false), grantSchema]),
  redirect: z.boolean(),
  park: z.array(conditionSchema).optional(),
  evict: z.array(z.string()).optional(),
  rank: count.optional(),
  reasons: z.array(reasonSchema),
}) as z.ZodType<Verdict>

export const parkedSchema: z.ZodType<NonNullable<ServiceView['parked']>> = z.object({
  since: count,
  until: count,
  on: z.array(conditionSchema),
})
