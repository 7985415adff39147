import type { AuditEntry } from '../access/audit.ts'
import type { Scope } from '../access/principal.ts'
import type { TokenView } from '../access/tokens.ts'
import { auditSchema, type NewToken, newTokenSchema, tokenRevokedSchema, tokensSchema } from '../schemas/access.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Who may use a node's API, and what was done with it. */
export interface AccessClient {
  tokens(options?: AbortOptions): Promise<readonly TokenView[]>
  newToken(init: { name: string; scope: Scope; seconds: number }, options?: AbortOptions): Promise<NewToken>
  /** Throws NotFoundError. */
  revokeToken(id: string, options?: AbortOptions): Promise<void>
  /** Newest first. */
  audit(limit: number, options?: AbortOptions): Promise<readonly AuditEntry[]>
}

export function createAccessClient({ ask }: RestClient): AccessClient {
  return {
    tokens: async (options) => (await ask(tokensSchema, '/tokens', { ...options })).tokens,
    newToken: (init, options) =>
      ask(newTokenSchema, '/tokens', {
        ...options,
        method: 'POST',
        body: JSON.stringify(init),
        type: 'application/json',
      }),
    async revokeToken(id, options) {
      await ask(tokenRevokedSchema, `/tokens/${encodeURIComponent(id)}/revoke`, { ...options, method: 'POST' })
    },
    audit: async (limit, options) => (await ask(auditSchema, `/audit?limit=${limit}`, { ...options })).entries,
  }
}
