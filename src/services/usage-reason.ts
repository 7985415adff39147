import { RUN_RULES } from '../../protocols/receipt.ts'
import { type UsageTotals, usageOf } from '../base/run-usage.ts'
import type { Reason } from '../base/verdict.ts'
import { type RunJournal, runSpecOf } from '../execution/index.ts'
import type { ServiceEntry } from './registry.ts'

/** Millionths. */
const DIGITS = 6
const GIB = 2n ** 30n
const HOUR_MS = 3_600_000n
const CPU_DIGITS = 2

export type UsageReasonInit = {
  /** What the node's prices ask for memory (bytes) and cpu (thousandths of a core) in this asset, from a time to another of the run, as text with the asset. */
  cost(
    asset: string | undefined,
    held: { memory: number; cpu: number },
    ms: number,
    fromMs?: number,
  ): string | undefined
}

/**
 * What the run of a service has used in all and in the newest period, and what that costs by the node's prices: a statement for
 * its publisher, not a bill. Memory and cpu cost what is granted, whether they are used or not. Undefined where nothing is
 * known yet.
 */
export function usageReason(
  journal: Pick<RunJournal, 'usage'>,
  { run, signed: { body } }: ServiceEntry,
  { cost }: UsageReasonInit,
): Reason | undefined {
  const record = run && journal.usage(run.runId)
  if (run === undefined || record === undefined) return undefined
  const { memoryBytes, cpuMillicores } = runSpecOf(run).grant
  const { periodFrom } = record
  const sum = usageOf(record)
  const said = (until: UsageTotals, from?: UsageTotals) => {
    const price = cost(
      body.reward?.asset,
      { memory: memoryBytes, cpu: cpuMillicores },
      until.runningMs,
      from?.runningMs,
    )
    // differences of what was said, so that periods add up to the sum
    const between = (value: (totals: UsageTotals) => bigint) => value(until) - (from === undefined ? 0n : value(from))
    const parts = [
      `${between(({ runningMs }) => BigInt(Math.floor(runningMs / 1000)))} s`,
      `${decimal(
        between(({ cpuMs }) => BigInt(Math.floor(cpuMs / 10))),
        CPU_DIGITS,
      )} s of CPU`,
      `${decimal(
        between(({ runningMs }) => gibHours(memoryBytes, runningMs)),
        DIGITS,
      )} GiB h`,
      `${between(({ receivedBytes }) => BigInt(receivedBytes))} B received`,
      `${between(({ sentBytes }) => BigInt(sentBytes))} B sent`,
    ]
    return [...parts, ...(price === undefined ? [] : [price])].join(', ')
  }
  return { rule: RUN_RULES.usage, outcome: 'pass', message: `${said(sum)}; of that last ${said(sum, periodFrom)}` }
}

/** In millionths. */
function gibHours(memoryBytes: number, ms: number): bigint {
  return (BigInt(memoryBytes) * BigInt(ms) * 10n ** BigInt(DIGITS)) / (GIB * HOUR_MS)
}

function decimal(parts: bigint, digits: number): string {
  const text = parts.toString().padStart(digits + 1, '0')
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`
}
