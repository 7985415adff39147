import { z } from 'zod'
import { HttpProblem } from '../http-errors.ts'
import { drainSchema, drainViewSchema, undrainedSchema } from '../schemas/drain.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

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
export function drainRoutes(app: App, components: RouteComponents): void {
  const { node } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/drain',
      summary: 'Whether the node is drained, what it waits for, and what its deadline ended',
      scope: 'read',
      answers: { 200: plainAnswer('the drain, where there is one', drainSchema) },
    },
    (context) => context.json({ drain: node.drainView() }),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/drain',
      summary: 'Drain the node: it takes no new service, and each run ends once other nodes run it',
      description: 'It lasts until POST /undrain, over restarts. A node that is drained already gets the new deadline.',
      scope: 'operate',
      query,
      answers: { 200: plainAnswer('the drain', drainViewSchema) },
      problems: { 400: 'the deadline is wrong' },
    },
    (context) => context.json(node.drain({ deadlineMs: readDeadline(context.req.query('deadline')) })),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/undrain',
      summary: 'End the drain: the node takes services again',
      scope: 'operate',
      answers: { 200: plainAnswer('undrained is false where it was not drained', undrainedSchema) },
    },
    (context) => context.json({ undrained: node.undrain() }),
  )
}

function readDeadline(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  if (text === 'none') return null
  const seconds = Number(text)
  if (/^\d{1,7}$/.test(text) && seconds <= MAX_SECONDS) return seconds * 1000
  throw new HttpProblem(400, `deadline must be a whole number of seconds from 0 to ${MAX_SECONDS}, or none`)
}
