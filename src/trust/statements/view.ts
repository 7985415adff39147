import type { Statement } from '../../../protocols/statement.ts'
import type { TrustEvents } from '../events.ts'
import type { StatementView } from '../types.ts'
import type { TextOf } from './address-cache.ts'
import { type IndexedStatement, signerBytes } from './indexed-statement.ts'

/** What an event says of a statement. */
export function eventDetail(
  statement: Statement,
  textOf: TextOf,
): Omit<TrustEvents['trust:statement'], 'via' | 'from'> {
  const { kind, body } = statement
  const signed = { kind, signer: textOf(signerBytes(statement)), seq: body.seq }
  switch (kind) {
    case 'attestation':
      return { ...signed, about: body.code.toString(), says: body.verdict }
    case 'freeze':
      return { ...signed, about: textOf(body.address), says: `${body.amount} on ${body.chain}` }
    case 'delegation':
      return { ...signed, about: textOf(body.subject), says: body.revoked === true ? 'revoked' : `depth ${body.depth}` }
  }
}

export function viewOf(entry: IndexedStatement, trusted: boolean, textOf: TextOf): StatementView {
  const { statement, id, own, via, receivedAt } = entry
  const { seq, issued, expires } = statement.body
  const signer = textOf(signerBytes(statement))
  const signed = { id: id.toString(), kind: statement.kind, signer, trusted, own, seq, issued, expires }
  return { ...signed, receivedAt: Math.floor(receivedAt / 1000), via, ...bodyFields(statement, textOf) }
}

function bodyFields({ kind, body }: Statement, textOf: TextOf): Partial<StatementView> {
  switch (kind) {
    case 'attestation':
      return { code: body.code.toString(), verdict: body.verdict, severity: body.severity, report: body.report }
    case 'freeze':
      return { address: textOf(body.address), chain: body.chain, amount: body.amount }
    case 'delegation':
      return { subject: textOf(body.subject), depth: body.depth, revoked: body.revoked }
  }
}
