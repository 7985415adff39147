import { CLOCK_SKEW_SECONDS } from '../../../protocols/limits.ts'
import type { HubStatement } from '../contract.ts'
import type { RuleContext } from './rule.ts'

/**
 * The latest attestation of each trusted hub on the code. What has expired, is not valid yet, or comes from a hub that is not in
 * TRUSTED_HUBS, counts nowhere. Of two attestations of one moment the warning one counts, of two warnings the one whose text
 * sorts last, so that no order of arrival matters.
 */
export function trustedAttestations({ attestations, now, config }: RuleContext): HubStatement[] {
  const last = new Map<string, HubStatement>()
  for (const attestation of attestations) {
    if (!Object.hasOwn(config.TRUSTED_HUBS, attestation.hub)) continue
    if (attestation.expires <= now || attestation.issued > now + CLOCK_SKEW_SECONDS) continue
    const other = last.get(attestation.hub)
    if (other === undefined || outranks(attestation, other)) last.set(attestation.hub, attestation)
  }
  return [...last.values()].sort((a, b) => (a.hub < b.hub ? -1 : 1))
}

function outranks(attestation: HubStatement, other: HubStatement): boolean {
  if (attestation.issued !== other.issued) return attestation.issued > other.issued
  if (attestation.verdict !== other.verdict) return attestation.verdict === 'unsafe'
  return textOf(attestation) > textOf(other)
}

function textOf({ severity, report, expires }: HubStatement): string {
  return JSON.stringify([severity ?? '', report ?? '', expires])
}
