import { z } from 'zod'
import { messageOf } from '../../base/errors.ts'
import { DEFAULT_TAIL, MAX_TAIL } from '../constants.ts'
import type { EventStream } from '../events/event-stream.ts'
import { HttpProblem } from '../http-errors.ts'
import { streamProblemOf } from '../problem.ts'
import { logLineSchema } from '../schemas/views.ts'
import { operation } from './operation.ts'
import { type App, type RouteComponents, streamAnswer } from './route.ts'

const query = z.object({
  tail: z.string().optional().describe(`lines from the end to begin with, 0 to ${MAX_TAIL}; default ${DEFAULT_TAIL}`),
  follow: z.string().optional().describe('"true": go on with what comes'),
})

/** A run's output as server-sent events: `log` for each line, then `end`, or `error` where it broke off. */
export function logRoutes(app: App, components: RouteComponents): void {
  const { node, log, openStream } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/service/{id}/logs',
      summary: 'Its output, while it runs and afterwards',
      scope: 'read',
      params: z.object({ id: z.string() }),
      query,
      answers: { 200: { description: 'server-sent events', type: 'text/event-stream', schema: logLineSchema.schema } },
      problems: { 404: 'there is no such service' },
    },
    (context, { params }) => {
      const options = readOptions(context.req.query())
      const { id } = node.service(params.id)
      const stream = openStream(context)
      pump(id, options, stream).catch((error: unknown) => log.error('a log stream failed', { error: messageOf(error) }))
      return streamAnswer(context, stream)
    },
  )

  async function pump(id: string, options: { tail: number; follow: boolean }, stream: EventStream): Promise<void> {
    try {
      for await (const line of node.logs(id, { ...options, signal: stream.signal })) {
        // the next line is fetched when the reader can take it: a log of gigabytes does not pass through memory at once
        await stream.drained()
        stream.push({ event: 'log', data: line })
      }
      stream.push({ event: 'end', data: {} })
    } catch (error) {
      if (stream.signal.aborted) return
      stream.push({ event: 'error', data: streamProblemOf(error) })
    } finally {
      stream.end()
    }
  }
}

function readOptions({ tail = String(DEFAULT_TAIL), follow = 'false' }: Record<string, string>) {
  if (!/^\d{1,5}$/.test(tail) || Number(tail) > MAX_TAIL) {
    throw new HttpProblem(400, `tail must be a whole number from 0 to ${MAX_TAIL}`)
  }
  if (follow !== 'true' && follow !== 'false') throw new HttpProblem(400, 'follow must be true or false')
  return { tail: Number(tail), follow: follow === 'true' }
}
