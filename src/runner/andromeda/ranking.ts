import type { RunnerConfig } from '../../config/index.ts'
import type { ReceivedService } from '../contract.ts'
import { parseAmount } from './decimal.ts'
import { isFree, leastReward } from './pricing.ts'

/** A reward of exactly the price is worth this much. */
const AT_PRICE = 100
/** An offer is a promise: beyond so many times the price, more of it says nothing. */
const MAX_TIMES = 10n
const PER_SYMBIOTE = 50
const PER_HOSTCHAIN = 50
const PER_KEYWORD = 10
/** Keywords and names cost an author nothing: of each kind, no more than these count. */
const MAX_COUNTED = 4

/**
 * What a service is worth to this node, for the order in which services get capacity:
 *
 *     rank = 100 x min(reward / price, 10)
 *          +  50 x preferred symbiotes that it names  (PREFER_SYMBIOTES, at most 4)
 *          +  50 x preferred host chains that it names (PREFER_HOSTCHAINS, at most 4)
 *          +  10 x keywords that match (KEYWORDS, at most 4)
 *
 * `price` is what PRICING asks for its memory and cpu in the reward's asset; a reward in an asset without a price
 * counts 0, because its worth is unknown. The same for a service that runs, waits, or is refused; more reward
 * never ranks lower. Exact to a tenth.
 */
export function rankOf(service: ReceivedService, config: RunnerConfig): number {
  const { KEYWORDS, PREFER_SYMBIOTES, PREFER_HOSTCHAINS } = config
  const symbiotes = counted(service.symbiotes, (word) => Object.hasOwn(PREFER_SYMBIOTES, word))
  const chains = counted(lower(service.hostchains), (word) => Object.hasOwn(PREFER_HOSTCHAINS, word))
  const wanted = KEYWORDS.length === 0 ? undefined : new Set(lower(KEYWORDS))
  const keywords = wanted === undefined ? 0 : counted(lower(service.keywords), (word) => wanted.has(word))
  const preferred = PER_SYMBIOTE * symbiotes + PER_HOSTCHAIN * chains + PER_KEYWORD * keywords
  return preferred + (AT_PRICE * thousandthsOfPrice(service, config)) / 1000
}

function thousandthsOfPrice({ reward, resources }: ReceivedService, { PRICING }: RunnerConfig): number {
  if (reward === undefined || !Object.hasOwn(PRICING, reward.asset)) return 0
  const prices = PRICING[reward.asset] as RunnerConfig['PRICING'][string]
  if (isFree(prices)) return 0
  const times = ((parseAmount(reward.perHour) ?? 0n) * 1000n) / leastReward(resources, prices)
  return Number(times > MAX_TIMES * 1000n ? MAX_TIMES * 1000n : times)
}

function counted(words: readonly string[], counts: (word: string) => boolean): number {
  if (words.length === 0) return 0
  let count = 0
  for (const [index, word] of words.entries()) if (counts(word) && words.indexOf(word) === index) count++
  return Math.min(MAX_COUNTED, count)
}

function lower(words: readonly string[]): string[] {
  return words.map((word) => word.toLowerCase())
}
