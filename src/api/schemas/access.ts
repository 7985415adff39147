import type { AuditEntry } from '../access/audit.ts'
import type { TokenView } from '../access/tokens.ts'
import { array, object, oneOf, type Shape, string } from '../shape.ts'
import { scopeSchema } from './sessions.ts'
import { count } from './verdict.ts'

const tokenViewSchema: Shape<TokenView> = object({
  id: string,
  name: string,
  scope: scopeSchema,
  createdAt: count,
  expires: count,
})

/** `secret`: the token itself; it is not shown again. */
export type NewToken = { readonly secret: string; readonly token: TokenView }

export const newTokenSchema: Shape<NewToken> = object({ secret: string, token: tokenViewSchema })
export const tokensSchema: Shape<{ tokens: readonly TokenView[] }> = object({ tokens: array(tokenViewSchema) })
export const tokenRevokedSchema: Shape<{ revoked: string }> = object({ revoked: string })

const auditEntrySchema: Shape<AuditEntry> = object({
  at: count,
  by: oneOf('socket', 'token', 'session'),
  id: string,
  method: string,
  path: string,
  status: count,
})
export const auditSchema: Shape<{ entries: readonly AuditEntry[] }> = object({ entries: array(auditEntrySchema) })
