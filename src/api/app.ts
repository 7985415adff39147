import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { z } from 'zod'
import { messageOf, NotFoundError } from '../base/errors.ts'
import { escapeUnseen, sanitizeText } from '../base/format.ts'
import { systemRng } from '../base/rng.ts'
import { createAudit, noteRequests } from './access/audit.ts'
import { createGuard } from './access/guard.ts'
import { pageHeaders } from './access/page-headers.ts'
import { createSessions } from './access/sessions.ts'
import { createTokens } from './access/tokens.ts'
import { EVENT_MEMORY, HEARTBEAT_MS, MAX_STREAM_BUFFER_BYTES, RETRY_AFTER_SECONDS } from './constants.ts'
import { dashboardRoutes } from './dashboard/routes.ts'
import type { ApiEnv } from './env.ts'
import { createEventLog } from './events/event-log.ts'
import { createEventStream, type EventStream } from './events/event-stream.ts'
import { HttpProblem, statusOf } from './http-errors.ts'
import { PROBLEM_TYPE, type Problem, problem, problemOf } from './problem.ts'
import { accessRoutes } from './routes/access.ts'
import { alertRoutes } from './routes/alerts.ts'
import { codeRoutes } from './routes/code.ts'
import { drainRoutes } from './routes/drain.ts'
import { eventRoutes } from './routes/events.ts'
import { listRoutes } from './routes/lists.ts'
import { logRoutes } from './routes/logs.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { nodeInfoRoutes } from './routes/node-info.ts'
import { operatorRoutes } from './routes/operator.ts'
import { operatorOrderRoutes } from './routes/operator-orders.ts'
import { policyRoutes } from './routes/policy.ts'
import { policyHistoryRoutes } from './routes/policy-history.ts'
import { poolRoutes } from './routes/pools.ts'
import { resultRoutes } from './routes/results.ts'
import type { RouteComponents } from './routes/route.ts'
import { serviceRoutes } from './routes/services.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { submissionRoutes } from './routes/submissions.ts'
import { trustRoutes } from './routes/trust.ts'
import { tunnelRoutes } from './routes/tunnels.ts'
import { eventComponents } from './schemas/events.ts'
import { branchSchema } from './schemas/trust.ts'
import { createTunnels } from './tunnels/tunnels.ts'
import type { Api, ApiComponents } from './types.ts'

/** Of a node without ALERTS. */
const NO_ALERTS: NonNullable<ApiComponents['alerts']> = {
  list: () => [],
  test: async () => {
    throw new NotFoundError('ALERTS in node.json is empty')
  },
}

export function createApi(init: ApiComponents): Api {
  const { node, clock, log, token, host = '127.0.0.1', rng = systemRng(), metrics, alerts = NO_ALERTS } = init
  const { tokens = createTokens({ clock, rng }), audit = createAudit({ clock, log }) } = init
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseWrong })
  const eventLog = createEventLog(node.events, {
    epoch: clock.now().toString(36),
    memory: EVENT_MEMORY,
    asOf: node.asOf,
  })
  const streams = new Set<EventStream>()

  function openStream(context: Context<ApiEnv>): EventStream {
    const destroyConnection = () => {
      log.warn('a reader of an event stream was too slow and is disconnected')
      context.env?.outgoing?.destroy()
    }
    const stream = createEventStream({
      clock,
      heartbeatMs: HEARTBEAT_MS,
      maxBufferBytes: MAX_STREAM_BUFFER_BYTES,
      destroyConnection,
    })
    streams.add(stream)
    const { ended } = context.get('principal')
    const end = () => stream.end()
    ended?.addEventListener('abort', end, { once: true })
    const leave = () => {
      streams.delete(stream)
      ended?.removeEventListener('abort', end)
    }
    stream.signal.addEventListener('abort', leave, { once: true })
    return stream
  }

  app.use(async (context, next) => {
    context.header('X-Content-Type-Options', 'nosniff')
    await next()
    // a terminal may show it (curl): text from other peers must not control the terminal
    if (context.res.headers.get('content-type')?.match(/^application\/(problem\+)?json/)) {
      context.res = new Response(escapeUnseen(await context.res.text()), context.res)
    }
  })
  app.use(noteRequests(audit))
  app.use('/dashboard/*', pageHeaders())
  app.notFound((context) =>
    problemAnswer(context, problem(404, `there is no ${context.req.method} ${sanitizeText(context.req.path, 80)}`)),
  )
  app.onError((error, context) => {
    const status = statusOf(error)
    if (status === 500)
      log.error('a request failed', { path: context.req.path, error: messageOf(error), stack: error.stack })
    if (status === 401) context.header('WWW-Authenticate', 'Bearer')
    if (status === 429 || status === 503) context.header('Retry-After', String(RETRY_AFTER_SECONDS))
    return problemAnswer(context, problemOf(error))
  })

  const sessions = createSessions({ clock, rng })
  // browsers do not tell the ports of a host apart: each node has a name of its own
  const cookieName = `thundercloud-${node.peerId.slice(-12)}`
  const { principal: tokenOf } = tokens
  const guard = createGuard({ token, host, cookieName, tokenOf, sessionOf: sessions.principal })
  const tunnels = createTunnels({ clock, rng, connect: (id, port, options) => node.connect(id, port, options) })
  const access = { guard, sessions, tokens, audit, cookieName, host, tunnels }
  const components: RouteComponents = { node, clock, log, eventLog, metrics, alerts, openStream, ...access }
  nodeInfoRoutes(app, components)
  metricsRoutes(app, components)
  sessionRoutes(app, components)
  accessRoutes(app, components)
  submissionRoutes(app, components)
  listRoutes(app, components)
  serviceRoutes(app, components)
  logRoutes(app, components)
  resultRoutes(app, components)
  eventRoutes(app, components)
  operatorRoutes(app, components)
  drainRoutes(app, components)
  operatorOrderRoutes(app, components)
  alertRoutes(app, components)
  policyRoutes(app, components)
  policyHistoryRoutes(app, components)
  poolRoutes(app, components)
  tunnelRoutes(app, components)
  trustRoutes(app, components)
  codeRoutes(app, components)
  dashboardRoutes(app)

  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: "the content of api.token in the operator's folder",
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: cookieName,
    description: 'a session of the dashboard; what changes something needs the header X-Thundercloud besides',
  })
  app.openAPIRegistry.registerComponent('schemas', 'TreeBranch', branchSchema.schema)
  for (const [name, schema] of Object.entries(eventComponents())) {
    app.openAPIRegistry.registerComponent('schemas', `Event.${name.replace(':', '.')}`, schema)
  }
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Thundercloud node', version: '1' } })

  return {
    fetch: (request, bindings) => app.fetch(request, bindings),
    knows: guard.knows,
    [Symbol.dispose]() {
      eventLog[Symbol.dispose]()
      sessions[Symbol.dispose]()
      tunnels[Symbol.dispose]()
      tokens[Symbol.dispose]()
      for (const stream of streams) stream.end()
    },
  }
}

/** A query that does not fit is a person's mistake: the first thing that is wrong, as one sentence. */
function refuseWrong(result: { success: true } | { success: false; error: z.ZodError }): void {
  if (result.success) return
  const [issue] = result.error.issues
  throw new HttpProblem(400, issue === undefined ? 'the query is wrong' : `${issue.path.join('.')}: ${issue.message}`)
}

function problemAnswer(context: Context<ApiEnv>, shown: Problem): Response {
  return context.body(JSON.stringify(shown), shown.status as 500, { 'Content-Type': PROBLEM_TYPE })
}
