import { z } from 'zod'
import type { LoggedEvent } from '../events/event-log.ts'
import { EVENT_SHAPES } from '../schemas/events.ts'
import { operation } from './operation.ts'
import { type App, type RouteComponents, streamAnswer } from './route.ts'

const query = z.object({
  only: z
    .string()
    .optional()
    .describe('names, or beginnings of names that end in ":", separated by commas; default: all'),
})

const NAMES = Object.keys(EVENT_SHAPES)

/**
 * Everything that happens in the node, as server-sent events with ids. `Last-Event-ID` brings what was missed; where some of that
 * is not remembered any more, `gap` says so, and the reader asks for the state again.
 */
export function eventRoutes(app: App, components: RouteComponents): void {
  const { node, eventLog, openStream } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/events',
      summary: 'What happens in the node, as it happens',
      description: [
        'Server-sent events. Each has a name, an id, and as data an object: what `Event.<name>` of the schemas says, and `asOf`. An answer whose',
        '`asOf` is not lower shows what the event tells. The first event is `open`, which has no id. A reader that comes back sends the last id as',
        '`Last-Event-ID` and gets what it missed; where some of that is not remembered any more, it gets `gap` first, and must ask for the state again.',
      ].join(' '),
      scope: 'read',
      query,
      answers: {
        200: {
          description: `events: ${NAMES.join(', ')}`,
          type: 'text/event-stream',
          schema: {
            anyOf: ['open', 'gap', ...NAMES].map((name) => ({
              $ref: `#/components/schemas/Event.${name.replace(':', '.')}`,
            })),
          },
        },
      },
    },
    (context, { query: { only } }) => {
      const wanted = filterOf(only)
      const stream = openStream(context)
      const send = ({ id, name, detail, asOf }: LoggedEvent) => {
        if (wanted(name)) stream.push({ event: name, id, data: { ...(detail as object), asOf } })
      }
      const seen = context.req.header('last-event-id')
      const missed = seen === undefined || seen === '' ? [] : eventLog.after(seen)
      const at = { last: eventLog.last(), asOf: node.asOf() }
      stream.push({ event: 'open', data: at })
      if (missed === undefined) {
        const reason = 'what happened since is not remembered any more; ask for the state again'
        stream.push({ event: 'gap', id: at.last, data: { ...at, reason } })
      }
      for (const earlier of missed ?? []) send(earlier)
      const subscription = eventLog.follow(send)
      stream.signal.addEventListener('abort', () => subscription[Symbol.dispose](), { once: true })
      return streamAnswer(context, stream)
    },
  )
}

function filterOf(only: string | undefined): (name: string) => boolean {
  const names = (only ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0) return () => true
  return (name) => names.some((wanted) => (wanted.endsWith(':') ? name.startsWith(wanted) : name === wanted))
}
