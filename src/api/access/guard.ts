import { timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { parse } from 'hono/utils/cookie'
import { AccessError } from '../../base/errors.ts'
import type { ApiEnv } from '../env.ts'
import { HttpProblem } from '../http-errors.ts'
import { digestOf } from './digest.ts'
import { checkOrigin } from './origin.ts'
import { includes, OPERATOR_ID, type Principal, type Scope } from './principal.ts'

type Asked = Pick<Context<ApiEnv>, 'env' | 'req' | 'set'>

/** What a request shows of who sends it. */
export type Credentials = {
  readonly authorization?: string | null | undefined
  readonly cookie?: string | null | undefined
}

/** Admits those who may: by the operator's socket, a token or a session, sent to a host name of this machine. */
export interface Guard {
  /** Throws 401 without a token or a session, and an AccessError where it may not, or a web page of another origin may be asking. */
  check(context: Asked, scope: Scope): Principal
  /** Whether the request claims to be from someone. A wrong token is refused as in `check`, not treated as a missing one. */
  claimed(context: Asked, scope: Scope): boolean
  /** Whether a request with these is from someone with a token or a session. */
  knows(credentials: Credentials): boolean
  /** Admits those with this scope. The principal is in `context.var.principal`. */
  may(scope: Scope): MiddlewareHandler<ApiEnv>
}

export type GuardInit = {
  /** the operator's */
  readonly token: string
  /** where the API listens, as the operator wrote it */
  readonly host: string
  readonly cookieName: string
  /** Whose a token is that is not the operator's. */
  tokenOf(token: string): Principal | undefined
  /** Whose a session's cookie is. */
  sessionOf(cookie: string): Principal | undefined
}

/** A web page can send a form, with the cookie, to any address; it cannot send this header there. */
export const PAGE_HEADER = 'x-thundercloud'

const OPERATOR: Principal = { kind: 'token', id: OPERATOR_ID, scope: 'operate' }
const SOCKET: Principal = { ...OPERATOR, kind: 'socket' }

export function createGuard({ token, host, cookieName, tokenOf, sessionOf }: GuardInit): Guard {
  const wanted = Buffer.from(digestOf(token))

  function principalOf({ authorization, cookie }: Credentials): Principal | undefined {
    // a request with a token is not a browser's: its cookie says nothing
    if (authorization != null) return tokenPrincipal(authorization)
    const session = parse(cookie ?? '', cookieName)[cookieName]
    return session === undefined ? undefined : sessionOf(session)
  }

  function tokenPrincipal(authorization: string): Principal | undefined {
    const given = tokenIn(authorization)
    if (given === undefined) return undefined
    return timingSafeEqual(Buffer.from(digestOf(given)), wanted) ? OPERATOR : tokenOf(given)
  }

  /** Who asks; it is known from here on, also where it may not. */
  function identify(context: Asked): Principal {
    const { env, req } = context
    const { headers, method } = req.raw
    if (env?.operator !== true) checkOrigin(req.raw, host)
    const credentials = { authorization: headers.get('authorization'), cookie: headers.get('cookie') }
    const principal = env?.operator === true ? SOCKET : principalOf(credentials)
    if (principal === undefined) throw unknown(headers)
    if (principal.kind === 'session') checkPage(method, headers)
    context.set('principal', principal)
    return principal
  }

  function check(context: Asked, scope: Scope): Principal {
    const principal = identify(context)
    if (includes(principal.scope, scope)) return principal
    throw new AccessError(`this needs the scope "${scope}", and the ${principal.kind} has "${principal.scope}"`)
  }

  return {
    check,
    knows: (credentials) => principalOf(credentials) !== undefined,
    claimed(context, scope) {
      const { headers } = context.req.raw
      const session = parse(headers.get('cookie') ?? '', cookieName)[cookieName]
      const claims = context.env?.operator === true || headers.has('authorization') || session !== undefined
      if (!claims) return false
      check(context, scope)
      return true
    },
    may: (scope) => async (context, next) => {
      check(context, scope)
      context.header('Cache-Control', 'no-store')
      await next()
    },
  }
}

function unknown(headers: Headers): HttpProblem {
  const authorization = headers.get('authorization')
  if (tokenIn(authorization) !== undefined) {
    return new HttpProblem(
      401,
      "the token is wrong or has expired; it must be the content of api.token in the operator's folder, or one that `thundercloud token new` made",
    )
  }
  return new HttpProblem(
    401,
    'the token is missing; send the content of api.token as "Authorization: Bearer <token>", or open the dashboard with `thundercloud dashboard`',
  )
}

/** A browser sends the cookie with whatever any page asks of this host, also of another port. */
function checkPage(method: string, headers: Headers): void {
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    throw new AccessError('the request comes from a web page of another origin')
  }
  if (method === 'GET' || method === 'HEAD' || headers.has(PAGE_HEADER)) return
  throw new AccessError(`a request that changes something needs the header ${PAGE_HEADER}, which a form cannot send`)
}

function tokenIn(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}
