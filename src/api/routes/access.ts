import { z } from 'zod'
import { SCOPES } from '../access/principal.ts'
import { DEFAULT_PAGE, MAX_PAGE, MAX_TOKEN_SECONDS } from '../constants.ts'
import { readJson } from '../json-body.ts'
import { auditSchema, newTokenSchema, tokenRevokedSchema, tokensSchema } from '../schemas/access.ts'
import type { JsonSchema } from '../shape.ts'
import { jsonAnswer, operation } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const MAX_BODY_BYTES = 1024
const newTokenBody = z.strictObject({
  name: z.string().min(1).max(64),
  scope: z.enum(SCOPES),
  seconds: z.int().min(1).max(MAX_TOKEN_SECONDS),
})
const newTokenDocument = z.toJSONSchema(newTokenBody) as unknown as JsonSchema
const MANY = `limit must be a whole number from 1 to ${MAX_PAGE}`
const auditQuery = z.object({
  limit: z.coerce.number(MANY).int(MANY).min(1, MANY).max(MAX_PAGE, MANY).default(DEFAULT_PAGE).describe('entries'),
})

/** Tokens with a scope and an end, and what was done with the API. For the operator. */
export function accessRoutes(app: App, components: RouteComponents): void {
  const { node, clock, tokens, sessions, audit } = components
  const asOf = () => ({ asOf: node.asOf() })

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/tokens',
      summary: 'Tokens beside the one in api.token',
      scope: 'operate',
      answers: { 200: jsonAnswer('tokens, oldest first, without their secrets', tokensSchema) },
    },
    (context) => context.json({ ...asOf(), tokens: tokens.list() }),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/tokens',
      summary: 'Make a token with a scope and an end',
      scope: 'operate',
      body: {
        required: true,
        content: { 'application/json': { schema: newTokenDocument } },
      },
      answers: { 200: jsonAnswer('the token, which is not shown again', newTokenSchema) },
      problems: {
        400: 'the body is wrong, or there are too many',
      },
    },
    async (context) => {
      const wanted = await readJson(context.req.raw, newTokenBody, { max: MAX_BODY_BYTES, clock })
      return context.json({ ...asOf(), ...(await tokens.create(wanted)) })
    },
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/tokens/{id}/revoke',
      summary: 'End a token, the sessions that it opened, and their streams',
      scope: 'operate',
      params: z.object({ id: z.string() }),
      answers: { 200: jsonAnswer('it has ended', tokenRevokedSchema) },
      problems: { 404: 'there is no such token' },
    },
    async (context, { params: { id = '' } }) => {
      sessions.revokeOf(id)
      await tokens.revoke(id)
      return context.json({ ...asOf(), revoked: id })
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/audit',
      summary: 'What was done with this API, newest first',
      scope: 'operate',
      query: auditQuery,
      answers: { 200: jsonAnswer('entries', auditSchema) },
    },
    async (context, { query: { limit } }) => context.json({ ...asOf(), entries: await audit.newest(limit) }),
  )
}
