import { z } from 'zod'
import { MAX_BLOCK_NOTE, MAX_BLOCK_SECONDS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { readJson } from '../json-body.ts'
import { blockedSchema, blocksSchema, pauseSchema, resumedSchema, unblockedSchema } from '../schemas/operator-orders.ts'
import type { JsonSchema } from '../shape.ts'
import { jsonAnswer, operation } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const MAX_BODY_BYTES = 2048
const KINDS = ['author', 'code', 'peer'] as const
const WRONG_KIND = `kind must be one of ${KINDS.join(', ')}`
const WRONG_SECONDS = `must be a whole number from 1 to ${MAX_BLOCK_SECONDS}`

const kindSchema = z.enum(KINDS, WRONG_KIND)
const subject = z.object({
  kind: z.string().describe(KINDS.join(', ')),
  subject: z.string().describe('an address, a content id of code, or a peer id'),
})
/** All of it is optional. Not a query: proxies write addresses into their logs. */
const blockBody = z.strictObject({
  seconds: z
    .int(WRONG_SECONDS)
    .min(1, WRONG_SECONDS)
    .max(MAX_BLOCK_SECONDS, WRONG_SECONDS)
    .optional()
    .describe('it ends by itself after so long; missing: it does not'),
  keepRuns: z.boolean('must be true or false').optional().describe('true: what runs of it now goes on'),
  note: z.string().max(MAX_BLOCK_NOTE, `must have at most ${MAX_BLOCK_NOTE} characters`).optional(),
})
const blockDocument = z.toJSONSchema(blockBody) as unknown as JsonSchema

/** What the operator orders beside the policy: the pause of the node, and blocks. */
export function operatorOrderRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  const asOf = () => ({ asOf: node.asOf() })

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/pause',
      summary: 'Whether the node is paused',
      scope: 'read',
      answers: { 200: jsonAnswer('since when, where it is', pauseSchema) },
    },
    (context) => context.json({ ...asOf(), paused: node.pause.view() }),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/pause',
      summary: 'Pause the node: it begins no new run, and what runs goes on',
      description: 'It lasts until POST /resume, over restarts.',
      scope: 'operate',
      answers: { 200: jsonAnswer('it is paused', pauseSchema) },
    },
    (context) => {
      const paused = node.pause.begin()
      return context.json({ ...asOf(), paused })
    },
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/resume',
      summary: 'End the pause: what waited is decided again',
      scope: 'operate',
      answers: { 200: jsonAnswer('resumed is false where it was not paused', resumedSchema) },
    },
    (context) => {
      const resumed = node.pause.end()
      return context.json({ ...asOf(), resumed })
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/blocks',
      summary: 'Authors, codes and peers that the operator has blocked',
      scope: 'read',
      answers: { 200: jsonAnswer('blocks in force, oldest first', blocksSchema) },
    },
    (context) => context.json({ ...asOf(), blocks: node.blocks.list() }),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/blocks/{kind}/{subject}',
      summary: 'Block an author, a code or a peer',
      description:
        'What an author has signed, and what has a code, is neither run nor redirected; its runs end. A peer is disconnected and not dialled. It replaces a block on the same subject, and lasts over restarts.',
      scope: 'operate',
      params: subject,
      body: { required: false, content: { 'application/json': { schema: blockDocument } } },
      answers: { 200: jsonAnswer('the block, the one that it replaced, and what ends for it', blockedSchema) },
      problems: { 400: 'the subject is not of its kind, is this node itself, or there are too many blocks' },
    },
    async (context, { params }) => {
      const { kind, subject } = subjectOf(params)
      const body = await readJson(context.req.raw, blockBody, { max: MAX_BODY_BYTES, clock })
      const { keepRuns = false, ...rest } = body
      const added = node.blocks.add({ kind, subject, keepRuns, ...rest })
      return context.json({ ...asOf(), ...added })
    },
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/blocks/{kind}/{subject}/remove',
      summary: 'End a block: what was refused for it is decided again',
      scope: 'operate',
      params: subject,
      answers: { 200: jsonAnswer('the block that has ended', unblockedSchema) },
      problems: { 400: 'the subject is not of its kind', 404: 'it is not blocked' },
    },
    (context, { params }) => {
      const { kind, subject } = subjectOf(params)
      const removed = node.blocks.remove(kind, subject)
      return context.json({ ...asOf(), removed })
    },
  )
}

function subjectOf({ kind, subject = '' }: Record<string, string>) {
  const parsed = kindSchema.safeParse(kind)
  if (!parsed.success) throw new HttpProblem(400, WRONG_KIND)
  return { kind: parsed.data, subject }
}
