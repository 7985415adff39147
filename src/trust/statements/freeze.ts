import { timeWindowError } from '../../../protocols/announcement.ts'
import type { TrustedHub } from '../policy.ts'
import type { TrustFacts } from '../types.ts'
import type { IndexedStatement } from './indexed-statement.ts'

export type Frozen = TrustFacts['frozen'][number] & { readonly expires: number }

/** What trusted hubs say is frozen of one address, in statements that are in time. Of one hub and chain there is one. */
export function frozenOf(
  entries: readonly IndexedStatement[],
  hubs: ReadonlyMap<string, TrustedHub>,
  at: number,
): Frozen[] {
  const frozen: Frozen[] = []
  for (const { statement, signer } of entries) {
    const hub = hubs.get(signer)
    if (hub === undefined || statement.kind !== 'freeze' || timeWindowError(statement.body, at) !== undefined) continue
    const { chain, amount, expires } = statement.body
    frozen.push({ hub: hub.text, chain, amount, expires })
  }
  return frozen.sort((a, b) => (a.hub === b.hub ? (a.chain < b.chain ? -1 : 1) : a.hub < b.hub ? -1 : 1))
}
