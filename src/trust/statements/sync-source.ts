import { outOfTime } from '../../../protocols/announcement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import type { StatementSource } from '../../base/statement-sync.ts'
import { type Entry, keyOf, signerBytes } from './indexed-statement.ts'
import type { Taking } from './ingest.ts'
import type { Counting } from './signer-policy.ts'
import type { Book } from './statement-index.ts'

export interface SyncSourceComponents {
  clock: Clock
  book: Pick<Book, 'list' | 'byId' | 'has'>
  counting: Counting
  taking: Pick<Taking, 'take' | 'isUseless'>
}

/** What neighbours may have, and what is wanted of theirs. */
export function createSyncSource({ clock, book, counting, taking }: SyncSourceComponents): StatementSource {
  const isShared = ({ statement, own }: Entry) =>
    outOfTime(statement.body, nowSeconds(clock)) === undefined && (own || counting.statement(statement))
  return {
    list: (after, max) =>
      book
        .list(after, max, nowSeconds(clock), isShared)
        .map(({ id, statement }) => [id, signerBytes(statement)] as const),
    get(id) {
      const entry = book.byId(id)
      return entry !== undefined && isShared(entry) ? entry.encoded : undefined
    },
    wants: (items) =>
      items
        .filter(([id, signer]) => {
          return !taking.isUseless(keyOf(id.multihash.digest)) && counting.signer(signer) && !book.has(id)
        })
        .map(([id]) => id),
    async arrive(bytes, from) {
      taking.take(bytes, { via: 'sync', from })
    },
  }
}
