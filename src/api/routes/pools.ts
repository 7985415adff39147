import { z } from 'zod'
import { HttpProblem } from '../http-errors.ts'
import { readJson } from '../json-body.ts'
import { poolDataSchema, poolListSchema, poolRemovedSchema, poolSpecSchema, poolViewSchema } from '../schemas/pools.ts'
import type { JsonSchema } from '../shape.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const MAX_BODY_BYTES = 4096
const poolSpecDocument = z.toJSONSchema(poolSpecSchema, {
  unrepresentable: 'any',
  io: 'input',
}) as unknown as JsonSchema
const dataQuery = z.object({ service: z.string().max(256).optional().describe('its name: what it keeps, and no more') })
const removeQuery = z.object({ force: z.string().optional().describe('"true": also where services run in it') })

/** Pools: containers in which services of one owner run side by side. */
export function poolRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/pools',
      summary: 'The pools of this node, and the services in each',
      scope: 'read',
      answers: { 200: plainAnswer('pools', poolListSchema) },
      problems: { 503: 'the Docker engine does not answer' },
    },
    async (context) => context.json({ pools: await node.pools.list() }),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/pools',
      summary: 'Make a pool: a container in which services of one owner run side by side',
      scope: 'operate',
      body: { content: { 'application/json': { schema: poolSpecDocument } }, required: true },
      answers: { 200: plainAnswer('the pool', poolViewSchema) },
      problems: {
        400: 'its name, image or limits are wrong, there is one of this name, or the engine cannot have any',
        503: 'the Docker engine does not answer',
      },
    },
    async (context) => {
      const spec = await readJson(context.req.raw, poolSpecSchema, { max: MAX_BODY_BYTES, clock })
      return context.json(await node.pools.create(spec))
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/pools/{name}/remove',
      summary: 'Remove a pool',
      scope: 'operate',
      params: z.object({ name: z.string() }),
      query: removeQuery,
      answers: { 200: plainAnswer('it is gone', poolRemovedSchema) },
      problems: {
        400: 'services run in it',
        404: 'there is none of this name',
        503: 'the Docker engine does not answer',
      },
    },
    async (context, { params }) => {
      const { force = 'false' } = context.req.query()
      if (force !== 'true' && force !== 'false') throw new HttpProblem(400, 'force must be true or false')
      const name = params.name
      await node.pools.remove(name, { force: force === 'true' })
      return context.json({ removed: name })
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/pools/data',
      summary: 'What services of pools keep on the disk, also of pools that are no more',
      scope: 'read',
      answers: { 200: plainAnswer('the data of each pool', poolDataSchema) },
      problems: { 503: 'the data cannot be mounted' },
    },
    async (context) => context.json({ data: await node.pools.listData() }),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/pools/{name}/data/remove',
      summary: 'Remove what services of a pool keep: all of it, or that of one service',
      scope: 'operate',
      params: z.object({ name: z.string() }),
      query: dataQuery,
      answers: { 200: plainAnswer('it is gone', poolRemovedSchema) },
      problems: {
        400: 'the pool is there, or the service runs in it',
        404: 'there is no such data',
        503: 'the data cannot be mounted, or the Docker engine does not answer',
      },
    },
    async (context, { params, query }) => {
      await node.pools.removeData(params.name, { service: query.service })
      return context.json({ removed: params.name })
    },
  )
}
