import { z } from 'zod'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { readBody } from '../body.ts'
import { BODY_TIMEOUT_MS, LOOK_UP_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { previewSchema } from '../schemas/policy.ts'
import { statementsSchema, submittedStatementSchema, trustTreeSchema } from '../schemas/trust.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const TYPES = ['application/cbor', 'application/vnd.ipld.dag-cbor']

const PROBLEMS = {
  400: 'malformed, forged, out of time, or, with the token, older than the statement in force; the sentence says why',
  401: 'a token that is wrong',
  413: 'larger than a statement can be',
  415: 'of another Content-Type',
  429: 'more than this node takes of such statements, or of requests of this address, now; Retry-After says when to come back',
}

const statementsQuery = z.object({
  code: z.string().optional().describe('attestations about this code'),
  address: z.string().optional().describe('freeze statements about this address, and delegations to it'),
  signer: z.string().optional().describe('what this hub or issuer said'),
  lookup: z.string().optional().describe('"1": asks the mesh about code and address first, which takes seconds'),
})
const trustQuery = z.object({ address: z.string().optional().describe('include why this address is in or out') })

/** Hubs' statements, the trust tree, and the submission of statements by anyone. */
export function trustRoutes(app: App, components: RouteComponents): void {
  const { node, clock, guard } = components
  const body = { content: Object.fromEntries(TYPES.map((type) => [type, { schema: {} }])), required: true }
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/statement',
      summary: 'Hand in a hub statement or a delegation: its encoded bytes',
      description: 'With the token it is published from here: sent to the mesh, and again until it expires.',
      body,
      answers: { 200: plainAnswer('what became of it', submittedStatementSchema) },
      problems: PROBLEMS,
    },
    async (context) => {
      const request = context.req.raw
      checkType(request)
      // a caller that claims to be the operator publishes from here
      const asPublisher = guard.claimed(context, 'publish')
      const bytes = await readBody(request, { max: MAX_STATEMENT_BYTES, clock, timeoutMs: BODY_TIMEOUT_MS })
      const submitted = await node.submitStatement(bytes, { asPublisher, signal: request.signal })
      if (submitted.outcome !== 'dropped') return context.json(submitted)
      throw new HttpProblem(429, 'the node takes no more such statements now, or this one is not yet in time')
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/statement/preview',
      summary: 'What would change among everything that is live here if this statement stood; nothing is done',
      scope: 'operate',
      body,
      answers: { 200: plainAnswer('services whose state would change, best first', previewSchema) },
      problems: {
        400: PROBLEMS[400],
        413: PROBLEMS[413],
        415: PROBLEMS[415],
      },
    },
    async (context) => {
      const request = context.req.raw
      checkType(request)
      const bytes = await readBody(request, { max: MAX_STATEMENT_BYTES, clock, timeoutMs: BODY_TIMEOUT_MS })
      return context.json(await node.previewStatement(bytes, { signal: request.signal }))
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/statements',
      summary: 'Hub statements and delegations that are kept here, newest first',
      scope: 'read',
      query: statementsQuery,
      answers: { 200: plainAnswer('statements', statementsSchema) },
      problems: { 400: 'a filter is wrong' },
    },
    async (context) => {
      const { code, address, signer, lookup } = context.req.query()
      if (!readLookup(lookup)) return context.json({ statements: node.statements({ code, address, signer }) })
      if (code === undefined && address === undefined) {
        throw new HttpProblem(400, 'lookup asks the mesh about a code or an address; name one')
      }
      using patience = deadline(
        clock,
        LOOK_UP_MS,
        new TimeoutError('the mesh did not answer in time'),
        context.req.raw.signal,
      )
      const about = { ...(code === undefined ? {} : { code }), ...(address === undefined ? {} : { address }) }
      const found = await node.lookUpStatements(about, { signal: patience.signal })
      return context.json({ statements: signer === undefined ? found : node.statements({ code, address, signer }) })
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/trust',
      summary: "The addresses for which the operator's roots vouch; with an address, why it is in or out",
      scope: 'read',
      query: trustQuery,
      answers: { 200: plainAnswer('the tree', trustTreeSchema) },
      problems: { 400: 'it is no address' },
    },
    (context) => context.json(node.trustTree(context.req.query('address'))),
  )
}

function checkType(request: Request): void {
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (TYPES.includes(type)) return
  const given = type === '' ? 'no Content-Type' : `the Content-Type ${JSON.stringify(sanitizeText(type, 80))}`
  throw new HttpProblem(415, `the body has ${given}; allowed are ${TYPES.join(', ')}`)
}

function readLookup(value: string | undefined): boolean {
  if (value === undefined || value === '0' || value === 'false') return false
  if (value === '1' || value === 'true') return true
  throw new HttpProblem(400, 'lookup must be 1 or 0')
}
