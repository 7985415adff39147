import { CLOCK_SKEW_SECONDS } from '../../../protocols/limits.ts'
import type { HubStatement } from '../contract.ts'
import type { RuleContext } from './rule.ts'

/**
 * The last word of each trusted hub on the code. What has expired, is not valid yet, or comes from a hub that is not in
 * TRUSTED_HUBS, counts nowhere. Of two words of one moment the warning one counts, so that no order of arrival matters.
 */
export function trustedWords({ attestations, now, config }: RuleContext): HubStatement[] {
  const last = new Map<string, HubStatement>()
  for (const word of attestations) {
    if (!Object.hasOwn(config.TRUSTED_HUBS, word.hub)) continue
    if (word.expires <= now || word.issued > now + CLOCK_SKEW_SECONDS) continue
    const other = last.get(word.hub)
    const newer = other === undefined || word.issued > other.issued
    if (newer || (word.issued === other.issued && word.verdict === 'unsafe')) last.set(word.hub, word)
  }
  return [...last.values()].sort((a, b) => (a.hub < b.hub ? -1 : 1))
}
