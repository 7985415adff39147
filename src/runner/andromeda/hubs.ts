import { CLOCK_SKEW_SECONDS } from '../../../protocols/limits.ts'
import type { HubStatement } from '../contract.ts'
import type { RuleContext } from './rule.ts'

/**
 * The last word of each trusted hub on the code. What has expired, is not valid yet, or comes from a hub that is not in
 * TRUSTED_HUBS, counts nowhere. Of two words of one moment the warning one counts, of two warnings the one whose text
 * sorts last, so that no order of arrival matters.
 */
export function trustedWords({ attestations, now, config }: RuleContext): HubStatement[] {
  const last = new Map<string, HubStatement>()
  for (const word of attestations) {
    if (!Object.hasOwn(config.TRUSTED_HUBS, word.hub)) continue
    if (word.expires <= now || word.issued > now + CLOCK_SKEW_SECONDS) continue
    const other = last.get(word.hub)
    if (other === undefined || outranks(word, other)) last.set(word.hub, word)
  }
  return [...last.values()].sort((a, b) => (a.hub < b.hub ? -1 : 1))
}

function outranks(word: HubStatement, other: HubStatement): boolean {
  if (word.issued !== other.issued) return word.issued > other.issued
  if (word.verdict !== other.verdict) return word.verdict === 'unsafe'
  return textOf(word) > textOf(other)
}

function textOf({ severity, report, expires }: HubStatement): string {
  return JSON.stringify([severity ?? '', report ?? '', expires])
}
