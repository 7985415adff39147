import { RUN_RULES } from '../../protocols/receipt.ts'
import { usageOf } from '../base/run-usage.ts'
import type { Reason } from '../base/verdict.ts'
import { type RunJournal, runSpecOf } from '../execution/index.ts'
import type { ServiceEntry } from './registry.ts'

/** Millionths. */
const DIGITS = 6
const GIB = 2n ** 30n
const HOUR_MS = 3_600_000n

export type UsageReasonInit = {
  /** What the node's prices ask for memory (bytes) and cpu (thousandths of a core) in this asset, as text with the asset. */
  cost(asset: string | undefined, held: { memory: number; cpu: number }, ms: number): string | undefined
}

/**
 * What the run of a service has used, and what that costs by the node's prices: a statement for its publisher, not a bill.
 * Memory and cpu cost what is granted, whether they are used or not. Undefined where nothing is known yet.
 */
export function usageReason(
  journal: Pick<RunJournal, 'usage'>,
  { run, signed: { body } }: ServiceEntry,
  { cost }: UsageReasonInit,
): Reason | undefined {
  const record = run && journal.usage(run.runId)
  if (run === undefined || record === undefined) return undefined
  const { runningMs, cpuMs } = usageOf(record)
  const { memoryBytes, cpuMillicores } = runSpecOf(run).grant
  const gibHours = decimal((BigInt(memoryBytes) * BigInt(runningMs) * 10n ** BigInt(DIGITS)) / (GIB * HOUR_MS))
  const price = cost(body.reward?.asset, { memory: memoryBytes, cpu: cpuMillicores }, runningMs)
  const parts = [`${Math.floor(runningMs / 1000)} s`, `${(cpuMs / 1000).toFixed(2)} s of CPU`, `${gibHours} GiB h`]
  if (price !== undefined) parts.push(price)
  return { rule: RUN_RULES.usage, outcome: 'pass', message: parts.join(', ') }
}

function decimal(millionths: bigint): string {
  const text = millionths.toString().padStart(DIGITS + 1, '0')
  return `${text.slice(0, -DIGITS)}.${text.slice(-DIGITS)}`
}
