import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ThundercloudNode } from '../../node/types.ts'
import type { Audit } from '../access/audit.ts'
import type { Guard } from '../access/guard.ts'
import type { Sessions } from '../access/sessions.ts'
import type { Tokens } from '../access/tokens.ts'
import type { ApiEnv } from '../env.ts'
import type { EventLog } from '../events/event-log.ts'
import type { EventStream } from '../events/event-stream.ts'
import { PROBLEM_TYPE } from '../problem.ts'
import { problemSchema } from '../schemas/views.ts'
import type { Tunnels } from '../tunnels/tunnels.ts'
import type { ApiComponents } from '../types.ts'

export type App = OpenAPIHono<ApiEnv>

/** What the routes use. */
export interface RouteComponents {
  readonly node: ThundercloudNode
  readonly clock: Clock
  readonly log: Log
  readonly guard: Guard
  readonly sessions: Sessions
  readonly tokens: Tokens
  readonly audit: Audit
  /** of a session; nodes of one machine share the cookies of a browser */
  readonly cookieName: string
  /** where the API listens, as the operator wrote it */
  readonly host: string
  readonly tunnels: Tunnels
  readonly eventLog: EventLog
  readonly metrics: ApiComponents['metrics']
  readonly alerts: NonNullable<ApiComponents['alerts']>
  /** A stream that ends with its reader or with the API. */
  openStream(context: Context<ApiEnv>): EventStream
}

/** Before any route: without a valid token, requests of one address have a limit. */
export const TOO_MANY_REQUESTS =
  'more requests of this address than it may send without a valid token; Retry-After says when to come back'

/** Problems all have one shape (RFC 9457). */
export function problems(failures: Record<number, string>) {
  const content = { [PROBLEM_TYPE]: { schema: problemSchema.schema } }
  return Object.fromEntries(Object.entries(failures).map(([status, description]) => [status, { description, content }]))
}

/** A stream's answer. HEAD wants to know that it is there, and reads nothing. */
export function streamAnswer(context: Context<ApiEnv>, stream: EventStream): Response {
  const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
  if (context.req.method === 'HEAD') {
    stream.end()
    return context.body(null, 200, headers)
  }
  return context.body(stream.body, 200, headers)
}
