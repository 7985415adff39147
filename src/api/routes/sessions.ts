import { setCookie } from 'hono/cookie'
import { z } from 'zod'
import { AccessError } from '../../base/errors.ts'
import { PAGE_HEADER } from '../access/guard.ts'
import { checkOrigin, requestedName } from '../access/origin.ts'
import { readBody } from '../body.ts'
import { BODY_TIMEOUT_MS, SESSION_SECONDS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { openedSessionSchema, sessionEndedSchema, sessionLinkSchema, sessionsSchema } from '../schemas/sessions.ts'
import type { JsonSchema } from '../shape.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const MAX_BODY_BYTES = 1024
const secretSchema = z.strictObject({ secret: z.string().min(1).max(100) })

const secretDocument = z.toJSONSchema(secretSchema) as unknown as JsonSchema

/** Sessions of the dashboard: a link opens one, once; the browser then has a cookie that no script can read. */
export function sessionRoutes(app: App, components: RouteComponents): void {
  const { guard, sessions, clock, cookieName, host } = components
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/sessions/link',
      summary: 'Make a link that opens a session of the dashboard, once, within a minute',
      scope: 'read',
      answers: { 200: plainAnswer('the path of the dashboard, with a secret in its fragment', sessionLinkSchema) },
    },
    (context) => {
      const principal = context.get('principal')
      // it would outlive the session that made it
      if (principal.kind === 'session') throw new AccessError('a session cannot make a link; only a token can')
      const { secret, expires } = sessions.link(principal)
      return context.json({ path: `/dashboard/#login=${secret}`, expires })
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/session',
      summary: "Open a session with a link's secret; sets its cookie",
      body: { content: { 'application/json': { schema: secretDocument } }, required: true },
      answers: { 200: plainAnswer('the session', openedSessionSchema) },
      problems: {
        400: 'the body is no such secret',
        401: 'the secret is wrong, too old, or was used',
        403: `the header ${PAGE_HEADER} is missing, or the request is from another origin`,
      },
    },
    async (context) => {
      const request = context.req.raw
      checkOrigin(request, host)
      if (request.headers.get(PAGE_HEADER) === null) throw new AccessError(`the header ${PAGE_HEADER} is missing`)
      // Services that a tunnel brings to this machine are opened at localhost: the cookie must not go to them
      if (requestedName(request) === 'localhost') {
        throw new AccessError(
          'a session is not opened at localhost; use the address that `thundercloud dashboard` printed',
        )
      }
      const bytes = await readBody(request, { max: MAX_BODY_BYTES, clock, timeoutMs: BODY_TIMEOUT_MS })
      const opened = sessions.open(secretIn(bytes), request.headers.get('user-agent') ?? '')
      if (opened === undefined) {
        throw new HttpProblem(401, 'this link is too old or was used; `thundercloud dashboard` makes a new one')
      }
      setCookie(context, cookieName, opened.cookie, {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
        secure: context.env?.secure === true,
        maxAge: SESSION_SECONDS,
      })
      context.header('Cache-Control', 'no-store')
      return context.json({ session: opened.session })
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/session',
      summary: 'The session that asks',
      scope: 'read',
      answers: { 200: plainAnswer('the session', openedSessionSchema) },
      problems: { 404: 'it asks with a token' },
    },
    (context) => {
      const { id } = context.get('principal')
      const session = sessions.list().find((each) => each.id === id)
      if (session === undefined) throw new HttpProblem(404, 'this request has a token, and no session')
      return context.json({ session })
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/sessions',
      summary: 'The open sessions of the dashboard',
      scope: 'operate',
      answers: { 200: plainAnswer('sessions, oldest first', sessionsSchema) },
    },
    (context) => context.json({ sessions: sessions.list() }),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/sessions/{id}/revoke',
      summary: 'End a session, and its streams; "current" is the one that asks',
      scope: 'read',
      params: z.object({ id: z.string() }),
      answers: { 200: plainAnswer('it has ended', sessionEndedSchema) },
      problems: { 404: 'there is no such session' },
    },
    (context, { params }) => {
      const principal = context.get('principal')
      const asked = params.id
      const id = asked === 'current' ? principal.id : asked
      if (id !== principal.id) guard.check(context, 'operate')
      sessions.revoke(id)
      return context.json({ ended: id })
    },
  )
}

function secretIn(bytes: Uint8Array): string {
  try {
    return secretSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).secret
  } catch (cause) {
    throw new HttpProblem(400, 'the body must be {"secret": "..."}, as the fragment of a link has it', { cause })
  }
}
