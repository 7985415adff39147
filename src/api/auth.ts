import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import { AccessError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { ApiEnv } from './env.ts'
import { HttpProblem } from './http-errors.ts'

type Asked = Pick<Context<ApiEnv>, 'env' | 'req'>

/** Admits only the operator: a request with the token, sent to a host name of this machine. */
export interface Guard {
  /** Throws 401 without the right token, and an AccessError where a web page of another origin may be asking. */
  check(context: Asked): void
  /** Whether the request claims to be the operator's. A wrong token is refused as in `check`, not treated as a missing one. */
  claimed(context: Asked): boolean
  /** Whether the header `Authorization` carries the token. */
  isToken(authorization: string | null | undefined): boolean
  readonly middleware: MiddlewareHandler<ApiEnv>
}

/** `host`: where the API listens, as the operator wrote it. */
export function createGuard(init: { token: string; host: string }): Guard {
  const wanted = digestOf(init.token)

  const isToken = (authorization: string | null | undefined) => {
    const given = tokenIn(authorization)
    return given !== undefined && timingSafeEqual(digestOf(given), wanted)
  }

  function check({ env, req }: Asked): void {
    if (env?.operator === true) return
    checkOrigin(req.raw, init.host)
    const authorization = req.raw.headers.get('authorization')
    if (tokenIn(authorization) === undefined) {
      throw new HttpProblem(
        401,
        'the token is missing; send the content of api.token as "Authorization: Bearer <token>"',
      )
    }
    if (!isToken(authorization)) {
      throw new HttpProblem(401, "the token is wrong; it must be the content of api.token in the operator's folder")
    }
  }

  return {
    check,
    isToken,
    claimed(context) {
      if (context.env?.operator === true) return true
      if (!context.req.raw.headers.has('authorization')) return false
      check(context)
      return true
    },
    async middleware(context, next) {
      check(context)
      context.header('Cache-Control', 'no-store')
      await next()
    },
  }
}

/**
 * A foreign DNS name that points at this machine would give a web page this API's origin. An IP address cannot
 * be pointed elsewhere; besides, only localhost and the operator's own name are answered.
 */
function checkOrigin(request: Request, configured: string): void {
  const host = request.headers.get('host') ?? new URL(request.url).host
  const name = hostNameOf(host)
  if (isIP(name) === 0 && name !== 'localhost' && name !== configured.toLowerCase()) {
    throw new AccessError(
      `the request is for ${JSON.stringify(sanitizeText(host, 80))}; these routes answer to an IP address, localhost, or the host of API in node.json`,
    )
  }
  const origin = request.headers.get('origin')
  if (origin !== null && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    throw new AccessError('the request comes from a web page of another origin')
  }
}

/** "[::1]:4981" -> "::1" */
function hostNameOf(host: string): string {
  const six = /^\[(.*)\](:\d+)?$/.exec(host)
  return (six?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase()
}

function tokenIn(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

/** Digests have one length whatever was sent, and comparing them takes one time. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
