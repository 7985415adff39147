/** What a caller may do; each includes those before it. */
export const SCOPES = ['read', 'publish', 'operate'] as const
export type Scope = (typeof SCOPES)[number]

/** Who asks: over the operator's socket, with a token, or as a session of the dashboard. */
export type Principal = {
  readonly kind: 'socket' | 'token' | 'session'
  /** of the token or the session; "operator" for `api.token` and the socket */
  readonly id: string
  readonly scope: Scope
  /** Seconds; undefined = it does not expire by itself. */
  readonly expires?: number | undefined
  /** Aborts when it may do nothing more: its streams end. */
  readonly ended?: AbortSignal | undefined
}

export const OPERATOR_ID = 'operator'

/** Does one scope include another? */
export function includes(held: Scope, wanted: Scope): boolean {
  return SCOPES.indexOf(held) >= SCOPES.indexOf(wanted)
}
