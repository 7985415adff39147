import { z } from 'zod'
import { deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { ASK_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { explanationSchema, receiptsSchema, serviceViewSchema, stoppedSchema } from '../schemas/views.ts'
import type { Shape } from '../shape.ts'
import { type App, answers, NEEDS_TOKEN, OPERATOR, type RouteComponents } from './route.ts'

const ID = 'an id, the beginning of one, or a name that one author uses'
const request = { params: z.object({ id: z.string() }) }
const PROBLEMS = { ...NEEDS_TOKEN, 400: 'it names more than one service', 404: 'it names none' }

const explainQuery = z.object({
  now: z.string().optional().describe('"true": what would be decided now, instead of the verdict in force'),
  history: z.string().optional().describe('"true": also the verdicts before'),
})

function readFlag(name: string, value = 'false'): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new HttpProblem(400, `${name} must be true or false`)
}

/** What this node knows of services and does with them. For the operator. */
export function serviceRoutes(app: App, { node, clock, guard }: RouteComponents): void {
  const describe = (method: 'get' | 'post', path: string, summary: string, schema: Shape<unknown>, what: string) =>
    app.openAPIRegistry.registerPath({
      method,
      path,
      summary,
      ...(path.includes('{id}') ? { request, description: `id: ${ID}` } : {}),
      security: OPERATOR,
      responses: answers(200, what, schema, path.includes('{id}') ? PROBLEMS : NEEDS_TOKEN),
    })

  describe('get', '/service/{id}', 'One service, its run and its receipts', serviceViewSchema, 'the service')
  app.get('/service/:id', guard.may('read'), (context) => context.json(node.service(context.req.param('id'))))

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/service/{id}/explain',
    summary: 'Why: each rule and its outcome',
    description: `id: ${ID}`,
    request: { ...request, query: explainQuery },
    security: OPERATOR,
    responses: answers(200, 'the verdict', explanationSchema, PROBLEMS),
  })
  app.get('/service/:id/explain', guard.may('read'), async (context) => {
    const { now, history } = context.req.query()
    const options = { now: readFlag('now', now), history: readFlag('history', history) }
    return context.json(await node.explain(context.req.param('id'), options))
  })

  describe('post', '/service/{id}/ask', 'Ask other nodes what they do with it now', receiptsSchema, 'their answers')
  app.post('/service/:id/ask', guard.may('read'), async (context) => {
    using patience = deadline(clock, ASK_MS, new TimeoutError('no other node answers'), context.req.raw.signal)
    return context.json({ receipts: await node.ask(context.req.param('id'), { signal: patience.signal }) })
  })

  describe(
    'post',
    '/service/{id}/stop',
    "Stop it here, or everywhere where it is this node's own",
    stoppedSchema,
    'how far it was stopped',
  )
  app.post('/service/:id/stop', guard.may('operate'), async (context) =>
    context.json(await node.stop(context.req.param('id'))),
  )
}
