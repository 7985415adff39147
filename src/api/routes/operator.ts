import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { streamBody } from '../body.ts'
import { ARCHIVE_IDLE_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { archiveAddedSchema, peersSchema, reloadedSchema } from '../schemas/views.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const TAR_TYPES = ['application/x-tar', 'application/octet-stream']

/** What else the operator does: hand in code, read the settings again, look at the neighbours. */
export function operatorRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/archive',
      summary: 'Hand in code: a canonical tar, which the node serves to the mesh',
      scope: 'publish',
      body: { content: { 'application/x-tar': { schema: {} } }, required: true },
      answers: { 200: plainAnswer('its content id', archiveAddedSchema) },
      problems: {
        400: 'the tar is not canonical',
        413: 'it is larger than this node takes',
        415: 'of another Content-Type',
        507: 'there is no disk space',
      },
    },
    async (context) => {
      const request = context.req.raw
      const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
      if (!TAR_TYPES.includes(type))
        throw new HttpProblem(415, `the body must have the Content-Type ${TAR_TYPES.join(' or ')}`)
      const tar = streamBody(request, { max: CHUNK_BYTES * MAX_CHUNKS, clock, idleMs: ARCHIVE_IDLE_MS })
      return context.json(await node.addArchive(tar))
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/reload',
      summary: 'Read policy and services again; nothing changes where they are wrong',
      scope: 'operate',
      answers: { 200: plainAnswer('they are in force', reloadedSchema) },
      problems: { 400: 'a file is wrong' },
    },
    async (context) => {
      await node.reload()
      return context.json({ reloaded: true })
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/peers',
      summary: 'The neighbours, and how other nodes can reach this one',
      scope: 'read',
      answers: { 200: plainAnswer('peers', peersSchema) },
    },
    (context) => context.json({ peers: node.peers(), reachability: node.reachability() }),
  )
}
