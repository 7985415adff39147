import type { ParsedTrustPolicy } from '../policy.ts'
import type { WeightedAttestation } from '../statements/attestations.ts'
import type { TrustFacts } from '../types.ts'

/** How many trusted hubs call the code safe, and with how much weight; one `unsafe` is a veto. `null`: there is no attestation. */
export function quorumOf(
  words: readonly WeightedAttestation[],
  { HUBS, WEIGHT }: ParsedTrustPolicy['quorum'],
): TrustFacts['quorum'] {
  if (words.length === 0) return null
  const safe = words.filter(({ verdict }) => verdict === 'safe')
  const hubs = safe.length
  const weight = safe.reduce((sum, word) => sum + word.weight, 0)
  const met = safe.length === words.length && hubs >= Math.max(1, HUBS) && weight >= WEIGHT
  return { hubs, weight, met }
}
