import { z } from 'zod'
import { HttpProblem } from '../http-errors.ts'
import { drainSchema, drainViewSchema, undrainedSchema } from '../schemas/drain.ts'
import { type App, answers, NEEDS_TOKEN, OPERATOR, type RouteComponents } from './route.ts'

const MAX_SECONDS = 30 * 86_400

const query = z.object({
  deadline: z
    .string()
    .optional()
    .describe(
      `after so many seconds (0 to ${MAX_SECONDS}) what still runs is stopped; "none": never; missing: as before, or an hour`,
    ),
})

/** Maintenance: taking the node out of service, and back. For the operator. */
export function drainRoutes(app: App, { node, guard }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/drain',
    summary: 'Whether the node is drained, what it waits for, and what its deadline ended',
    security: OPERATOR,
    responses: answers(200, 'the drain, where there is one', drainSchema, NEEDS_TOKEN),
  })
  app.get('/drain', guard.may('read'), (context) => context.json({ drain: node.drainView() }))

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/drain',
    summary: 'Drain the node: it takes no new service, and each run ends once other nodes run it',
    description: 'It lasts until POST /undrain, over restarts. A node that is drained already gets the new deadline.',
    request: { query },
    security: OPERATOR,
    responses: answers(200, 'the drain', drainViewSchema, { ...NEEDS_TOKEN, 400: 'the deadline is wrong' }),
  })
  app.post('/drain', guard.may('operate'), (context) =>
    context.json(node.drain({ deadlineMs: readDeadline(context.req.query('deadline')) })),
  )

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/undrain',
    summary: 'End the drain: the node takes services again',
    security: OPERATOR,
    responses: answers(200, 'undrained is false where it was not drained', undrainedSchema, NEEDS_TOKEN),
  })
  app.post('/undrain', guard.may('operate'), (context) => context.json({ undrained: node.undrain() }))
}

function readDeadline(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  if (text === 'none') return null
  const seconds = Number(text)
  if (/^\d{1,7}$/.test(text) && seconds <= MAX_SECONDS) return seconds * 1000
  throw new HttpProblem(400, `deadline must be a whole number of seconds from 0 to ${MAX_SECONDS}, or none`)
}
