import type { CID } from '../../../protocols/encoding.ts'
import { decodeStatement, type Statement, statementId, statementSubject } from '../../../protocols/statement.ts'
import { keyOf } from '../../base/lru-map.ts'
import type { KeptStatement } from '../types.ts'

/** A kept statement, decoded. */
export type IndexedStatement = KeptStatement & {
  readonly statement: Statement
  readonly id: CID
  readonly subject: string
  /** of the signer's address bytes */
  readonly signer: string
}

export function indexedStatementOf(kept: KeptStatement): IndexedStatement {
  const statement = decodeStatement(kept.encoded)
  const id = statementId(kept.encoded)
  return { ...kept, statement, id, subject: statementSubject(statement), signer: keyOf(signerBytes(statement)) }
}

export function signerBytes(statement: Statement): Uint8Array {
  return statement.kind === 'delegation' ? statement.body.issuer : statement.body.hub
}
