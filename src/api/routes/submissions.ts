import { readBody } from '../body.ts'
import { BODY_TIMEOUT_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { submittedSchema } from '../schemas/views.ts'
import { formOf, readSubmission } from '../submission.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const PROBLEMS = {
  400: 'malformed, forged, or refused by the node; the sentence says why',
  401: 'a manifest without a token; or a wrong token, which is said before an announcement is checked',
  403: 'a manifest under a foreign name or from a foreign page',
  413: 'larger than an announcement can be',
  415: 'of another Content-Type',
  429: 'the queue is full, or the address asks too often; Retry-After says when to come back',
}

/** `POST /service`: an announcement from anyone; an unsigned manifest from the operator. */
export function submissionRoutes(app: App, components: RouteComponents): void {
  const { node, clock, guard } = components
  const body = { schema: {} }
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/service',
      summary: 'Hand in an announcement, or, with the token, a manifest for the node to sign',
      description: 'An announcement with the token is published from here: receipts for it are kept.',
      body: {
        content: { 'application/cbor': body, 'application/vnd.ipld.dag-cbor': body, 'application/json': body },
        required: true,
      },
      answers: {
        200: plainAnswer('known before', submittedSchema),
        202: plainAnswer('new: it is decided next', submittedSchema),
      },
      problems: PROBLEMS,
    },
    async (context) => {
      const request = context.req.raw
      const form = formOf(request.headers.get('content-type'))
      const bytes = await readBody(request, { max: form.max, clock, timeoutMs: BODY_TIMEOUT_MS })
      const submission = readSubmission(bytes, form)
      if (submission.kind === 'manifest') {
        guard.check(context, 'publish')
        const { id, seq } = await node.publishManifest(submission.manifest)
        return context.json({ id, outcome: 'new', seq }, 202)
      }
      // a caller that claims to be the operator publishes from here
      const asPublisher = guard.claimed(context, 'publish')
      const received = await node.receive(submission.bytes, { asPublisher })
      if (received.outcome !== 'refused') return context.json(received, received.outcome === 'new' ? 202 : 200)
      if (!received.retry) throw new HttpProblem(400, received.reason)
      throw new HttpProblem(429, received.reason)
    },
  )
}
