import type { RunnerConfig } from '../../config/index.ts'
import type { Resources } from '../contract.ts'
import { ceilDivide, parseAmount } from './decimal.ts'

const GIB = 2n ** 30n
const CORE = 1000n

/**
 * The least that these resources cost an hour, in parts of an amount: GIB_HOUR x GiB of memory + CORE_HOUR x cores,
 * rounded up to the last digit that a reward may have.
 */
export function leastReward(
  { memory, cpu }: Resources,
  { GIB_HOUR, CORE_HOUR }: RunnerConfig['PRICING'][string],
): bigint {
  const [gibHour, coreHour] = [parseAmount(GIB_HOUR) ?? 0n, parseAmount(CORE_HOUR) ?? 0n]
  return ceilDivide(gibHour * BigInt(memory) * CORE + coreHour * BigInt(cpu) * GIB, GIB * CORE)
}
