import { addressKey } from '../../../protocols/address.ts'
import { outOfTime } from '../../../protocols/announcement.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import {
  decodeStatement,
  recordKey,
  replaces,
  type Statement,
  signerOf,
  statementSubject,
} from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import type { RecordRules } from '../../base/statement-sync.ts'
import { keyOf, signerBytes } from './indexed-statement.ts'
import type { Seals } from './signature-cache.ts'
import type { Counting } from './signer-policy.ts'
import type { Book } from './statement-index.ts'

export interface RulesComponents {
  clock: Clock
  book: Pick<Book, 'get'>
  counting: Counting
  seals: Seals
}

/** What may lie in the mesh's records. Whom this node trusts matters only to what it holds on to. */
export function createRules({ clock, book, counting, seals }: RulesComponents): RecordRules {
  return {
    check(key, value) {
      const statement = decodeStatement(value)
      if (recordKey(statement) !== key) throw new ProtocolError('key', 'is not the key of this statement')
      const { issued, expires } = statement.body
      const time = outOfTime(statement.body, nowSeconds(clock))
      if (time === 'early') throw new ProtocolError('body.issued', 'lies in the future')
      if (time === 'expired') throw new ProtocolError('body.expires', 'has passed')
      const pinned = counting.policy().hubs.get(keyOf(signerBytes(statement)))?.pinned
      seals.check(keyOf(sha256(value)), statement, pinned)
      return { signer: addressKey(signerOf(statement)), issued, expires }
    },
    replaces(a, b) {
      const first = read(a)
      const second = read(b)
      return first !== undefined && (second === undefined || replaces(first, second))
    },
    keeps(value) {
      const statement = read(value)
      if (statement === undefined) return false
      if (counting.statement(statement)) return true
      const kept = book.get(statementSubject(statement))
      return kept?.own === true && Buffer.compare(kept.encoded, value) === 0
    },
  }
}

function read(value: Uint8Array): Statement | undefined {
  try {
    return decodeStatement(value)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
