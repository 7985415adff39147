import { z } from 'zod'
import { readBody } from '../body.ts'
import { BODY_TIMEOUT_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { poolListSchema, poolRemovedSchema, poolSpecSchema, poolViewSchema } from '../schemas/pools.ts'
import { type App, answers, NEEDS_TOKEN, OPERATOR, type RouteComponents } from './route.ts'

const MAX_BODY_BYTES = 4096
const removeQuery = z.object({ force: z.string().optional().describe('"true": also where services run in it') })

/** Pools: containers in which services of one owner run side by side. */
export function poolRoutes(app: App, { node, clock, guard }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/pools',
    summary: 'The pools of this node, and the services in each',
    security: OPERATOR,
    responses: answers(200, 'pools', poolListSchema, { ...NEEDS_TOKEN, 503: 'the Docker engine does not answer' }),
  })
  app.get('/pools', guard.may('read'), async (context) => context.json({ pools: await node.pools.list() }))

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/pools',
    summary: 'Make a pool: a container in which services of one owner run side by side',
    request: { body: { content: { 'application/json': { schema: poolSpecSchema } }, required: true } },
    security: OPERATOR,
    responses: answers(200, 'the pool', poolViewSchema, {
      ...NEEDS_TOKEN,
      400: 'its name, image or limits are wrong, there is one of this name, or the engine cannot have any',
      503: 'the Docker engine does not answer',
    }),
  })
  app.post('/pools', guard.may('operate'), async (context) => {
    const bytes = await readBody(context.req.raw, { max: MAX_BODY_BYTES, clock, timeoutMs: BODY_TIMEOUT_MS })
    return context.json(await node.pools.create(specOf(bytes)))
  })

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/pools/{name}/remove',
    summary: 'Remove a pool',
    request: { params: z.object({ name: z.string() }), query: removeQuery },
    security: OPERATOR,
    responses: answers(200, 'it is gone', poolRemovedSchema, {
      ...NEEDS_TOKEN,
      400: 'services run in it',
      404: 'there is none of this name',
      503: 'the Docker engine does not answer',
    }),
  })
  app.post('/pools/:name/remove', guard.may('operate'), async (context) => {
    const { force = 'false' } = context.req.query()
    if (force !== 'true' && force !== 'false') throw new HttpProblem(400, 'force must be true or false')
    const name = context.req.param('name')
    await node.pools.remove(name, { force: force === 'true' })
    return context.json({ removed: name })
  })
}

function specOf(bytes: Uint8Array) {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw new HttpProblem(400, 'the body is no JSON')
  }
  const parsed = poolSpecSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HttpProblem(400, `${issue?.path.join('.') || 'the body'}: ${issue?.message}`)
}
