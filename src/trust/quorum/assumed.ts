import type { Statement } from '../../../protocols/statement.ts'
import type { Clock } from '../../base/clock.ts'
import { type IndexedStatement, indexedStatementOf } from '../statements/indexed-statement.ts'
import type { Ingest } from '../statements/ingest.ts'
import { type Link, linkOf } from '../tree/tree.ts'
import type { Assumed } from '../types.ts'

export type AssumedStatement = Assumed & {
  readonly entries: readonly IndexedStatement[]
  readonly links: readonly Link[]
}

export function linksOf(entries: readonly IndexedStatement[]): Link[] {
  return entries.map(linkOf).filter((link) => link !== undefined)
}

/** A statement as if it were in force, and the delegations that wait for it: its subject may have vouched for others before. */
export function assume(
  encoded: Uint8Array,
  { clock, ingest, check }: { clock: Clock; ingest: Pick<Ingest, 'orphansOf'>; check(encoded: Uint8Array): Statement },
): AssumedStatement {
  check(encoded)
  const entries = [
    indexedStatementOf({ encoded, receivedAt: clock.now(), via: 'api', own: true, recordPublishedAt: 0 }),
  ]
  const seen = new Set<string>()
  for (const entry of entries) {
    const link = linkOf(entry)
    if (link === undefined || link.revoked || seen.has(link.subject)) continue
    seen.add(link.subject)
    entries.push(...ingest.orphansOf(link.subject))
  }
  return { encoded, entries, links: linksOf(entries) }
}
