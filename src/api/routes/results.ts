import { z } from 'zod'
import { resultsViewSchema } from '../schemas/results.ts'
import { type App, answers, NEEDS_TOKEN, OPERATOR, problems, type RouteComponents } from './route.ts'

const request = { params: z.object({ id: z.string().describe('an id, the beginning of one, or a name') }) }
const PROBLEMS = { ...NEEDS_TOKEN, 400: 'it names more than one service', 404: 'it left nothing here, or that is gone' }

/** What tasks left here (`run.outputs`). For the operator of this node; others ask over the mesh, with the author's right. */
export function resultRoutes(app: App, { node, guard }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/service/{id}/results',
    summary: 'What a task left here: its content id, and until when it is kept',
    request,
    security: OPERATOR,
    responses: answers(200, 'without "code": why nothing is kept is in "detail"', resultsViewSchema, PROBLEMS),
  })
  app.get('/service/:id/results', guard.may('read'), (context) =>
    context.json(node.results.get(context.req.param('id'))),
  )

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/service/{id}/results/archive',
    summary: 'The files that a task left here, as one canonical tar',
    request,
    security: OPERATOR,
    responses: {
      200: {
        description: 'the tar',
        content: { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } },
      },
      ...problems(PROBLEMS),
    },
  })
  app.get('/service/:id/results/archive', guard.may('read'), async (context) => {
    const { service, bytes } = node.results.get(context.req.param('id'))
    const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(bytes) }
    if (context.req.method === 'HEAD') return context.body(null, 200, headers)
    const tar = ReadableStream.from(await node.results.read(service, { signal: context.req.raw.signal }))
    return context.body(tar as ReadableStream<Uint8Array>, 200, headers)
  })
}
