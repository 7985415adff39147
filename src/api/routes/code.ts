import { z } from 'zod'
import { messageOf, NotFoundError } from '../../base/errors.ts'
import type { EventStream } from '../events/event-stream.ts'
import { HttpProblem } from '../http-errors.ts'
import { streamProblemOf } from '../problem.ts'
import {
  checkedCodeSchema,
  codeListSchema,
  codeViewSchema,
  fetchProgressSchema,
  removedCodesSchema,
} from '../schemas/code.ts'
import { operation, plainAnswer } from './operation.ts'
import { type App, type RouteComponents, streamAnswer } from './route.ts'

const CODE = { 400: 'it is no content id, nor the beginning of one', 404: 'it is unknown here' }
const params = z.object({ code: z.string().describe('a content id, or an unambiguous beginning of one') })
const gcQuery = z.object({ dryRun: z.string().optional().describe('"true": only says what would be removed') })
const verifyQuery = z.object({ code: z.string().optional().describe('only these, with commas between') })

/** The node's code store: what is in it, why, and what may go. */
export function codeRoutes(app: App, components: RouteComponents): void {
  const { node, log, openStream } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/code',
      summary: 'What is in the code store, last used first, and the services that need it',
      scope: 'read',
      answers: { 200: plainAnswer('codes, and the space that they take', codeListSchema) },
    },
    (context) => context.json(node.code.list()),
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/code/{code}',
      summary: 'One code: where it came from, and the services that need it',
      scope: 'read',
      params,
      answers: {
        200: plainAnswer('the code; "absent" where services name it and the store does not have it', codeViewSchema),
      },
      problems: {
        ...CODE,
      },
    },
    (context, { params }) => context.json(node.code.get(params.code)),
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/code/{code}/archive',
      summary: 'Its canonical tar, read once before it is sent',
      scope: 'read',
      params,
      answers: {
        200: { description: 'the tar', type: 'application/x-tar', schema: { type: 'string', format: 'binary' } },
      },
      problems: CODE,
    },
    async (context, { params }) => {
      const { code, bytes } = node.code.get(params.code)
      const tar = ReadableStream.from(await node.code.read(code, { signal: context.req.raw.signal }))
      const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(bytes) }
      if (context.req.method === 'HEAD') return context.body(null, 200, headers)
      return context.body(tar as ReadableStream<Uint8Array>, 200, headers)
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/code/{code}/fetch',
      summary: 'Fetch it from the mesh, or from the sources of the services that name it',
      scope: 'operate',
      params,
      answers: {
        200: {
          description: 'server-sent events: `progress`, then `end` with the code, or `error`',
          type: 'text/event-stream',
          schema: fetchProgressSchema.schema,
        },
      },
      problems: { 400: CODE[400] },
    },
    (context, { params }) => {
      const { code } = params
      refuseMalformed(code)
      const stream = openStream(context)
      follow(stream, async () => {
        const onProgress = (progress: object) => void stream.push({ event: 'progress', data: progress })
        stream.push({ event: 'end', data: await node.code.fetch(code, { signal: stream.signal, onProgress }) })
      })
      return streamAnswer(context, stream)
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/code/gc',
      summary: 'Remove the code that no service here needs',
      scope: 'operate',
      query: gcQuery,
      answers: { 200: plainAnswer('what was removed', removedCodesSchema) },
      problems: { 400: 'dryRun is wrong' },
    },
    async (context) => {
      const { dryRun = 'false' } = context.req.query()
      if (dryRun !== 'true' && dryRun !== 'false') throw new HttpProblem(400, 'dryRun must be true or false')
      return context.json({ removed: await node.code.gc({ dryRun: dryRun === 'true' }) })
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/code/verify',
      summary: 'Read the complete codes from the disk; what is damaged is removed, or fetched again where it is in use',
      scope: 'operate',
      query: verifyQuery,
      answers: {
        200: {
          description: 'server-sent events: `checked` for each code, then `end`, or `error`',
          type: 'text/event-stream',
          schema: checkedCodeSchema.schema,
        },
      },
      problems: CODE,
    },
    (context) => {
      const codes = (context.req.query('code') ?? '').split(',').filter((text) => text !== '')
      for (const code of codes) node.code.get(code)
      const stream = openStream(context)
      follow(stream, async () => {
        for await (const checked of node.code.verify(codes, { signal: stream.signal })) {
          await stream.drained()
          stream.push({ event: 'checked', data: checked })
        }
        stream.push({ event: 'end', data: {} })
      })
      return streamAnswer(context, stream)
    },
  )

  /** Code that is unknown here may be fetched. */
  function refuseMalformed(code: string): void {
    try {
      node.code.get(code)
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  /** What goes wrong after the answer has begun is an event of it. */
  function follow(stream: EventStream, work: () => Promise<void>): void {
    work()
      .catch((error: unknown) => {
        if (stream.signal.aborted) return
        log.debug('an answer ended with an error', { error: messageOf(error) })
        stream.push({ event: 'error', data: streamProblemOf(error) })
      })
      .finally(() => stream.end())
  }
}
