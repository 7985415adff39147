import { type Clock, nowSeconds } from '../../base/clock.ts'
import { NotFoundError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Rng } from '../../base/rng.ts'
import { LINK_SECONDS, MAX_LINKS, MAX_SESSIONS, SESSION_IDLE_SECONDS, SESSION_SECONDS } from '../constants.ts'
import { digestOf } from './digest.ts'
import { OPERATOR_ID, type Principal, type Scope } from './principal.ts'

/** A session as its owner and the operator see it. Times are whole seconds. */
export type SessionView = {
  readonly id: string
  readonly scope: Scope
  /** the token by which it was opened, or "operator" */
  readonly by: string
  readonly createdAt: number
  readonly usedAt: number
  /** It ends then, or earlier where nothing is asked for `idleSeconds`. */
  readonly expires: number
  readonly idleSeconds: number
  /** what the browser says it is */
  readonly browser: string
}

/**
 * Sessions of the dashboard. A link with a secret opens one, once, within a minute. Nothing is written: a node that starts
 * again has none.
 */
export interface Sessions extends Disposable {
  /** The secret of a new link, for whoever asks. */
  link(by: Principal): { secret: string; expires: number }
  /** What a cookie is given for a link's secret; undefined where no link has it, or it was used or is too old. */
  open(secret: string, browser: string): { cookie: string; session: SessionView } | undefined
  /** Whose cookie this is; it has been used now. */
  principal(cookie: string): Principal | undefined
  list(): SessionView[]
  /** Throws NotFoundError. */
  revoke(id: string): void
  /** Ends the sessions and links of a token. */
  revokeOf(by: string): void
}

type Link = { readonly by: string; readonly scope: Scope; readonly until: number | undefined; readonly expires: number }
type Session = Omit<SessionView, 'usedAt'> & { usedAt: number; readonly ended: AbortController }

const SECRET_BYTES = 32
const ID_BYTES = 6

export function createSessions({ clock, rng }: { clock: Clock; rng: Pick<Rng, 'bytes'> }): Sessions {
  /** by the digests of their secrets */
  const links = new Map<string, Link>()
  const sessions = new Map<string, Session>()
  const newSecret = () => Buffer.from(rng.bytes(SECRET_BYTES)).toString('base64url')

  function end(digest: string, { ended }: Session): void {
    sessions.delete(digest)
    ended.abort(new Error('the session has ended'))
  }

  function sweep(): void {
    const now = nowSeconds(clock)
    for (const [digest, { expires }] of links) if (expires <= now) links.delete(digest)
    for (const [digest, session] of sessions) {
      if (Math.min(session.expires, session.usedAt + session.idleSeconds) <= now) end(digest, session)
    }
  }
  // a stream of a session that has expired must not go on
  const sweeping = clock.every(LINK_SECONDS * 1000, sweep)

  /** The oldest gives way: someone with the token could otherwise lock the operator out. */
  function makeRoom(): void {
    const [oldest] = sessions
    if (oldest !== undefined && sessions.size >= MAX_SESSIONS) end(...oldest)
  }

  return {
    link({ id, scope, expires: until }) {
      sweep()
      const [oldest] = links.keys()
      if (oldest !== undefined && links.size >= MAX_LINKS) links.delete(oldest)
      const secret = newSecret()
      const expires = nowSeconds(clock) + LINK_SECONDS
      links.set(digestOf(secret), { by: id, scope, until, expires })
      return { secret, expires }
    },
    open(secret, browser) {
      sweep()
      const digest = digestOf(secret)
      const link = links.get(digest)
      if (link === undefined) return undefined
      links.delete(digest)
      makeRoom()
      const cookie = newSecret()
      const now = nowSeconds(clock)
      const session: Session = {
        id: Buffer.from(rng.bytes(ID_BYTES)).toString('hex'),
        scope: link.scope,
        by: link.by,
        createdAt: now,
        usedAt: now,
        expires: Math.min(now + SESSION_SECONDS, link.until ?? Number.POSITIVE_INFINITY),
        idleSeconds: SESSION_IDLE_SECONDS,
        browser: sanitizeText(browser, 200),
        ended: new AbortController(),
      }
      sessions.set(digestOf(cookie), session)
      return { cookie, session: viewOf(session) }
    },
    principal(cookie) {
      sweep()
      const session = sessions.get(digestOf(cookie))
      if (session === undefined) return undefined
      session.usedAt = nowSeconds(clock)
      const { id, scope, expires, ended } = session
      return { kind: 'session', id, scope, expires, ended: ended.signal }
    },
    list() {
      sweep()
      return [...sessions.values()].map(viewOf)
    },
    revoke(id) {
      const found = [...sessions].find(([, session]) => session.id === id)
      if (found === undefined) throw new NotFoundError(`there is no session "${sanitizeText(id, 40)}"`)
      end(...found)
    },
    revokeOf(by) {
      if (by === OPERATOR_ID) return
      for (const [digest, link] of links) if (link.by === by) links.delete(digest)
      for (const [digest, session] of sessions) if (session.by === by) end(digest, session)
    },
    [Symbol.dispose]() {
      sweeping.cancel()
      links.clear()
      for (const each of sessions) end(...each)
    },
  }
}

function viewOf({ ended: _ended, ...view }: Session): SessionView {
  return view
}
