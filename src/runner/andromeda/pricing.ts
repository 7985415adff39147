import type { RunnerConfig } from '../../config/index.ts'
import type { Resources } from '../contract.ts'
import { ceilDivide, parseAmount } from './decimal.ts'

const GIB = 2n ** 30n
const CORE = 1000n

type Prices = RunnerConfig['PRICING'][string]

/** Does anything cost nothing at these prices? Then all does: every service has some memory and cpu. */
export function isFree({ GIB_HOUR, CORE_HOUR }: Prices): boolean {
  return !/[1-9]/.test(GIB_HOUR) && !/[1-9]/.test(CORE_HOUR)
}

/**
 * The least that these resources cost an hour, in parts of an amount: GIB_HOUR x GiB of memory + CORE_HOUR x cores,
 * rounded up to the last digit that a reward may have.
 */
export function leastReward(
  { memory, cpu }: Pick<Resources, 'memory' | 'cpu'>,
  { GIB_HOUR, CORE_HOUR }: Prices,
): bigint {
  const [gibHour, coreHour] = [parseAmount(GIB_HOUR) ?? 0n, parseAmount(CORE_HOUR) ?? 0n]
  return ceilDivide(gibHour * BigInt(memory) * CORE + coreHour * BigInt(cpu) * GIB, GIB * CORE)
}
