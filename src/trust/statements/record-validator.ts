import { addressKey } from '../../../protocols/address.ts'
import { timeWindowError } from '../../../protocols/announcement.ts'
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
import { keyOf } from '../../base/lru-map.ts'
import type { RecordValidator } from '../../base/statement-sync.ts'
import { signerBytes } from './indexed-statement.ts'
import type { SignatureCache } from './signature-cache.ts'
import type { SignerPolicy } from './signer-policy.ts'
import type { StatementIndex } from './statement-index.ts'

export interface RecordValidatorComponents {
  clock: Clock
  index: Pick<StatementIndex, 'get'>
  signerPolicy: SignerPolicy
  signatures: SignatureCache
}

/** What is valid in the mesh's records. This node's trust decides only which ones it pins. */
export function createRecordValidator({
  clock,
  index,
  signerPolicy,
  signatures,
}: RecordValidatorComponents): RecordValidator {
  return {
    validate(key, value) {
      const statement = decodeStatement(value)
      if (recordKey(statement) !== key) throw new ProtocolError('key', 'is not the key of this statement')
      const { issued, expires } = statement.body
      const time = timeWindowError(statement.body, nowSeconds(clock))
      if (time === 'early') throw new ProtocolError('body.issued', 'lies in the future')
      if (time === 'expired') throw new ProtocolError('body.expires', 'has passed')
      const pinned = signerPolicy.current().hubs.get(keyOf(signerBytes(statement)))?.pinned
      signatures.check(keyOf(sha256(value)), statement, pinned)
      return { signer: addressKey(signerOf(statement)), issued, expires }
    },
    supersedes(a, b) {
      const first = read(a)
      const second = read(b)
      return first !== undefined && (second === undefined || replaces(first, second))
    },
    isPinned(value) {
      const statement = read(value)
      if (statement === undefined) return false
      if (signerPolicy.isTrusted(statement)) return true
      const kept = index.get(statementSubject(statement))
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
