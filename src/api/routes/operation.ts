import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Scope } from '../access/principal.ts'
import type { ApiEnv } from '../env.ts'
import { type JsonSchema, number, object, type Shape } from '../shape.ts'
import { type App, problems, type RouteComponents, TOO_MANY_REQUESTS } from './route.ts'

/**
 * Plain JSON Schemas: the library would read a body whose schema it can check, without limits of size and time. The handler reads it.
 */
type Body = { readonly content: Record<string, { schema: JsonSchema }>; readonly required: boolean }

/** One operation of the API: the document, the check of what is asked, and who may ask are made from it. */
export type Operation<Query extends z.ZodObject, Params extends z.ZodObject> = {
  readonly method: 'get' | 'post'
  /** `/service/{id}` */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** undefined: anyone may ask */
  readonly scope?: Scope
  readonly query?: Query
  readonly params?: Params
  readonly headers?: z.ZodObject
  readonly body?: Body
  /** what a success is, by its status; also a failure whose body is no problem document */
  readonly answers: Readonly<Record<number, Answer>>
  /** when it fails, by its status; those of the access and of a wrong query are added */
  readonly problems?: Readonly<Record<number, string>>
}

export type Answer = {
  readonly description: string
  readonly schema: JsonSchema
  /** default: application/json */
  readonly type?: string
}

type Handler<Query extends z.ZodObject, Params extends z.ZodObject> = (
  context: Context<ApiEnv>,
  input: { query: z.infer<Query>; params: z.infer<Params> },
) => Response | Promise<Response>

const NONE = z.object({})

/** Adds an operation: to the document, and to what is answered. */
export function operation<Query extends z.ZodObject = typeof NONE, Params extends z.ZodObject = typeof NONE>(
  app: App,
  { guard }: Pick<RouteComponents, 'guard'>,
  {
    method,
    path,
    summary,
    description,
    scope,
    query,
    params,
    headers,
    body,
    answers,
    ...rest
  }: Operation<Query, Params>,
  handler: Handler<Query, Params>,
): void {
  const route = createRoute({
    ...{ method, path, summary, operationId: operationId(method, path) },
    ...(description === undefined ? {} : { description }),
    ...(scope === undefined ? {} : { security: [{ token: [] }, { session: [] }], 'x-scope': scope }),
    middleware: scope === undefined ? [] : [guard.may(scope)],
    request: {
      ...(query === undefined ? {} : { query }),
      ...(params === undefined ? {} : { params }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    },
    responses: responses(answers, {
      ...(query === undefined ? {} : { 400: 'the query is wrong; the sentence says what' }),
      ...(scope === undefined ? {} : NEEDS),
      ...(body === undefined ? {} : OF_A_BODY),
      ...OF_ANY,
      ...rest.problems,
    } as Record<number, string>),
  })
  app.openapi(route, ((context: Context<ApiEnv>) => {
    const valid = context.req as unknown as { valid(part: 'query'): z.infer<Query> }
    const input = { query: query === undefined ? ({} as z.infer<Query>) : valid.valid('query') }
    return handler(context, { ...input, params: context.req.param() as z.infer<Params> })
  }) as never)
}

const NEEDS = {
  401: 'the token or the session is missing, wrong or has expired',
  403: 'its scope does not include this, or it was asked under a foreign name or from a foreign page',
}

const OF_A_BODY = { 408: 'the body did not arrive in time', 413: 'the body is too large' }
const OF_ANY = {
  429: TOO_MANY_REQUESTS,
  500: 'a fault of the node; its log says more',
  503: 'the node cannot do it now; Retry-After says when to come back',
}

/** An answer in JSON, with the number of the state that it shows. */
export function jsonAnswer(description: string, { schema }: Shape<unknown>): Answer {
  return { description, schema: { allOf: [schema, object({ asOf: number }).schema] } }
}

/** An answer in JSON, as it is. */
export function plainAnswer(description: string, { schema }: Shape<unknown>): Answer {
  return { description, schema }
}

function responses(answers: Readonly<Record<number, Answer>>, failures: Record<number, string>) {
  const all: Record<number, { description: string; content: Record<string, { schema: JsonSchema }> }> =
    problems(failures)
  for (const [status, { description, schema, type = 'application/json' }] of Object.entries(answers)) {
    all[Number(status)] = { description, content: { [type]: { schema }, ...all[Number(status)]?.content } }
  }
  return all
}

/** `POST /pools/{name}/remove` -> `postPoolsNameRemove` */
function operationId(method: string, path: string): string {
  const words = path.split(/[/{}.-]+/).filter((word) => word !== '')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
