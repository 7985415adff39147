import { z } from 'zod'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { streamBody } from '../body.ts'
import { ARCHIVE_IDLE_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { archiveAddedSchema, peersSchema, reloadedSchema } from '../schemas/views.ts'
import { type App, answers, NEEDS_TOKEN, OPERATOR, type RouteComponents } from './route.ts'

const TAR_TYPES = ['application/x-tar', 'application/octet-stream']

/** What else the operator does: hand in code, read the settings again, look at the neighbours. */
export function operatorRoutes(app: App, { node, clock, guard }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/archive',
    summary: 'Hand in code: a canonical tar, which the node serves to the mesh',
    request: { body: { content: { 'application/x-tar': { schema: z.unknown() } }, required: true } },
    security: OPERATOR,
    responses: answers(200, 'its content id', archiveAddedSchema, {
      ...NEEDS_TOKEN,
      400: 'the tar is not canonical',
      413: 'it is larger than this node takes',
      415: 'of another Content-Type',
      507: 'there is no disk space',
    }),
  })
  app.post('/archive', guard.may('publish'), async (context) => {
    const request = context.req.raw
    const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (!TAR_TYPES.includes(type))
      throw new HttpProblem(415, `the body must have the Content-Type ${TAR_TYPES.join(' or ')}`)
    const tar = streamBody(request, { max: CHUNK_BYTES * MAX_CHUNKS, clock, idleMs: ARCHIVE_IDLE_MS })
    return context.json(await node.addArchive(tar))
  })

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/reload',
    summary: 'Read policy and services again; nothing changes where they are wrong',
    security: OPERATOR,
    responses: answers(200, 'they are in force', reloadedSchema, { ...NEEDS_TOKEN, 400: 'a file is wrong' }),
  })
  app.post('/reload', guard.may('operate'), async (context) => {
    await node.reload()
    return context.json({ reloaded: true })
  })

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/peers',
    summary: 'The neighbours',
    security: OPERATOR,
    responses: answers(200, 'peers', peersSchema, NEEDS_TOKEN),
  })
  app.get('/peers', guard.may('read'), (context) => context.json({ peers: node.peers() }))
}
