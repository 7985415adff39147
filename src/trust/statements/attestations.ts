import { timeWindowError } from '../../../protocols/announcement.ts'
import type { TrustedHub } from '../policy.ts'
import type { TrustFacts } from '../types.ts'
import type { IndexedStatement } from './indexed-statement.ts'

export type WeightedAttestation = TrustFacts['attestations'][number] & { readonly weight: number }

/** What each trusted hub says of the code, where its latest attestation is in time. Of one hub there is one statement. */
export function validAttestations(
  entries: readonly IndexedStatement[],
  hubs: ReadonlyMap<string, TrustedHub>,
  at: number,
): WeightedAttestation[] {
  const words: WeightedAttestation[] = []
  for (const { statement, signer } of entries) {
    const hub = hubs.get(signer)
    if (hub === undefined || statement.kind !== 'attestation') continue
    const { verdict, issued, expires, severity, report } = statement.body
    if (timeWindowError(statement.body, at) !== undefined) continue
    words.push({ hub: hub.text, weight: hub.weight, verdict, issued, expires, severity, report })
  }
  return words.sort((a, b) => (a.hub < b.hub ? -1 : 1))
}
