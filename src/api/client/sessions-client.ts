import type { SessionView } from '../access/sessions.ts'
import { type SessionLink, sessionEndedSchema, sessionLinkSchema, sessionsSchema } from '../schemas/sessions.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Sessions of a node's dashboard. */
export interface SessionsClient {
  /** A path below the API's origin that opens a session in a browser, once, within a minute. */
  link(options?: AbortOptions): Promise<SessionLink>
  list(options?: AbortOptions): Promise<readonly SessionView[]>
  /** Ends one, and its streams. Throws NotFoundError. */
  revoke(id: string, options?: AbortOptions): Promise<void>
}

export function createSessionsClient({ ask }: RestClient): SessionsClient {
  return {
    link: (options) => ask(sessionLinkSchema, '/sessions/link', { ...options, method: 'POST' }),
    list: async (options) => (await ask(sessionsSchema, '/sessions', { ...options })).sessions,
    async revoke(id, options) {
      await ask(sessionEndedSchema, `/sessions/${encodeURIComponent(id)}/revoke`, { ...options, method: 'POST' })
    },
  }
}
