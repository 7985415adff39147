import { SCOPES } from '../access/principal.ts'
import type { SessionView } from '../access/sessions.ts'
import { array, object, oneOf, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

export const scopeSchema = oneOf(...SCOPES)

export const sessionViewSchema: Shape<SessionView> = object({
  id: string,
  scope: scopeSchema,
  by: string,
  createdAt: count,
  usedAt: count,
  expires: count,
  idleSeconds: count,
  browser: string,
})

/** `path`: below the API's origin, with the secret in the fragment, which browsers send to nobody. */
export type SessionLink = { readonly path: string; readonly expires: number }

export const sessionLinkSchema: Shape<SessionLink> = object({ path: string, expires: count })
export const sessionsSchema: Shape<{ sessions: readonly SessionView[] }> = object({
  sessions: array(sessionViewSchema),
})
export const sessionEndedSchema: Shape<{ ended: string }> = object({ ended: string })
export const openedSessionSchema: Shape<{ session: SessionView }> = object({ session: sessionViewSchema })
