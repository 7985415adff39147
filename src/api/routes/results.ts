import { z } from 'zod'
import { resultsViewSchema } from '../schemas/results.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const request = { params: z.object({ id: z.string().describe('an id, the beginning of one, or a name') }) }
const PROBLEMS = { 400: 'it names more than one service', 404: 'it left nothing here, or that is gone' }

/** What tasks left here (`run.outputs`). For the operator of this node; others ask over the mesh, with the author's right. */
export function resultRoutes(app: App, components: RouteComponents): void {
  const { node } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/service/{id}/results',
      summary: 'What a task left here: its content id, and until when it is kept',
      scope: 'read',
      ...request,
      answers: { 200: plainAnswer('without "code": why nothing is kept is in "detail"', resultsViewSchema) },
      problems: PROBLEMS,
    },
    (context, { params }) => context.json(node.results.get(params.id)),
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/service/{id}/results/archive',
      summary: 'The files that a task left here, as one canonical tar',
      scope: 'read',
      ...request,
      answers: {
        200: { description: 'the tar', type: 'application/x-tar', schema: { type: 'string', format: 'binary' } },
      },
      problems: PROBLEMS,
    },
    async (context, { params }) => {
      const { service, bytes } = node.results.get(params.id)
      const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(bytes) }
      if (context.req.method === 'HEAD') return context.body(null, 200, headers)
      const tar = ReadableStream.from(await node.results.read(service, { signal: context.req.raw.signal }))
      return context.body(tar as ReadableStream<Uint8Array>, 200, headers)
    },
  )
}
