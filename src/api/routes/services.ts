import { z } from 'zod'
import { deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { ASK_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { usageHistorySchema } from '../schemas/usage.ts'
import { explanationSchema, receiptsSchema, serviceViewSchema, stoppedSchema } from '../schemas/views.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const ID = 'an id, the beginning of one, or a name that one author uses'
const params = z.object({ id: z.string().describe(ID) })
const PROBLEMS = { 400: 'it names more than one service', 404: 'it names none' }

const explainQuery = z.object({
  now: z.string().optional().describe('"true": what would be decided now, instead of the verdict in force'),
  history: z.string().optional().describe('"true": also the verdicts before'),
})

const usageQuery = z.object({
  run: z.string().max(200).optional().describe('the id of a run; without, the newest'),
})

function readFlag(name: string, value = 'false'): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new HttpProblem(400, `${name} must be true or false`)
}

/** What this node knows of services and does with them. For the operator. */
export function serviceRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  const common = { params, problems: PROBLEMS }

  operation(
    app,
    components,
    {
      ...common,
      method: 'get',
      path: '/service/{id}',
      summary: 'One service, its run and its receipts',
      scope: 'read',
      answers: { 200: plainAnswer('the service', serviceViewSchema) },
    },
    (context, { params: { id } }) => context.json(node.service(id)),
  )
  operation(
    app,
    components,
    {
      ...common,
      method: 'get',
      path: '/service/{id}/explain',
      summary: 'Why: each rule and its outcome',
      scope: 'read',
      query: explainQuery,
      answers: { 200: plainAnswer('the verdict', explanationSchema) },
      problems: { ...PROBLEMS, 400: 'it names more than one service, or a flag is wrong' },
    },
    async (context, { params: { id }, query: { now, history } }) => {
      const options = { now: readFlag('now', now), history: readFlag('history', history) }
      return context.json(await node.explain(id, options))
    },
  )
  operation(
    app,
    components,
    {
      ...common,
      method: 'get',
      path: '/service/{id}/usage',
      summary: 'What its run used, period by period, oldest first',
      description:
        'A period is about a minute; older ones are put together, and of a run that has ended they are forgotten after a week. `memoryBytes` and `diskBytes` are missing where they were not measured.',
      scope: 'read',
      query: usageQuery,
      answers: { 200: plainAnswer('the periods that are kept', usageHistorySchema) },
      problems: { ...PROBLEMS, 404: 'it names no service, or one without such a run here' },
    },
    (context, { params: { id }, query: { run } }) => context.json(node.usage(id, { run })),
  )
  operation(
    app,
    components,
    {
      ...common,
      method: 'post',
      path: '/service/{id}/ask',
      summary: 'Ask other nodes what they do with it now',
      scope: 'read',
      answers: { 200: plainAnswer('their answers', receiptsSchema) },
    },
    async (context, { params: { id } }) => {
      using patience = deadline(clock, ASK_MS, new TimeoutError('no other node answers'), context.req.raw.signal)
      return context.json({ receipts: await node.ask(id, { signal: patience.signal }) })
    },
  )
  operation(
    app,
    components,
    {
      ...common,
      method: 'post',
      path: '/service/{id}/stop',
      summary: "Stop it here, or everywhere where it is this node's own",
      scope: 'operate',
      answers: { 200: plainAnswer('how far it was stopped', stoppedSchema) },
    },
    async (context, { params: { id } }) => context.json(await node.stop(id)),
  )
}
