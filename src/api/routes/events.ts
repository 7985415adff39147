import { z } from 'zod'
import type { LoggedEvent } from '../event-log.ts'
import { type App, NEEDS_TOKEN, OPERATOR, problems, type RouteComponents, streamAnswer } from './route.ts'

const query = z.object({
  only: z
    .string()
    .optional()
    .describe('names, or beginnings of names that end in ":", separated by commas; default: all'),
})

/** Everything that happens in the node, as server-sent events with ids. `Last-Event-ID` brings what was missed. */
export function eventRoutes(app: App, { guard, eventLog, openStream }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/events',
    summary: 'What happens in the node, as it happens',
    request: { query },
    security: OPERATOR,
    responses: {
      200: { description: 'server-sent events', content: { 'text/event-stream': { schema: z.unknown() } } },
      ...problems(NEEDS_TOKEN),
    },
  })
  app.get('/events', guard.may('read'), (context) => {
    const wanted = filterOf(context.req.query('only'))
    const stream = openStream(context)
    const send = ({ id, name, detail }: LoggedEvent) => {
      if (wanted(name)) stream.push({ event: name, id, data: detail })
    }
    const subscription = eventLog.follow(send)
    stream.signal.addEventListener('abort', () => subscription[Symbol.dispose](), { once: true })
    for (const earlier of eventLog.after(context.req.header('last-event-id') ?? '')) send(earlier)
    return streamAnswer(context, stream)
  })
}

function filterOf(only: string | undefined): (name: string) => boolean {
  const names = (only ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0) return () => true
  return (name) => names.some((wanted) => (wanted.endsWith(':') ? name.startsWith(wanted) : name === wanted))
}
