import { timeWindowError } from '../../../protocols/announcement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { keyOf } from '../../base/lru-map.ts'
import type { StatementSource } from '../../base/statement-sync.ts'
import { type IndexedStatement, signerBytes } from './indexed-statement.ts'
import type { Ingest } from './ingest.ts'
import type { SignerPolicy } from './signer-policy.ts'
import type { StatementIndex } from './statement-index.ts'

export interface SyncSourceComponents {
  clock: Clock
  index: Pick<StatementIndex, 'list' | 'byId' | 'has'>
  signerPolicy: SignerPolicy
  ingest: Pick<Ingest, 'take' | 'isUseless'>
}

/** What neighbours may have, and what is wanted of theirs. */
export function createSyncSource({ clock, index, signerPolicy, ingest }: SyncSourceComponents): StatementSource {
  const isShared = ({ statement, own }: IndexedStatement) =>
    timeWindowError(statement.body, nowSeconds(clock)) === undefined && (own || signerPolicy.isTrusted(statement))
  return {
    list: (after, max) =>
      index
        .list(after, max, nowSeconds(clock), isShared)
        .map(({ id, statement }) => [id, signerBytes(statement)] as const),
    get(id) {
      const entry = index.byId(id)
      return entry !== undefined && isShared(entry) ? entry.encoded : undefined
    },
    wants: (items) =>
      items
        .filter(([id, signer]) => {
          return !ingest.isUseless(keyOf(id.multihash.digest)) && signerPolicy.mayBeTrusted(signer) && !index.has(id)
        })
        .map(([id]) => id),
    async arrive(bytes, from) {
      ingest.take(bytes, { via: 'sync', from })
    },
  }
}
