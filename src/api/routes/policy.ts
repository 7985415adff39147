import { InputError } from '../../base/errors.ts'
import { MAX_SETTINGS_BYTES, readPolicyText, SettingsError } from '../../config/index.ts'
import { readBody } from '../body.ts'
import { BODY_TIMEOUT_MS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import {
  appliedSchema,
  type PolicyCheck,
  policyCheckSchema,
  policyTextSchema,
  policyViewSchema,
  previewSchema,
} from '../schemas/policy.ts'
import { operation, plainAnswer } from './operation.ts'
import { ifMatch, policyAuthors, replacedBy } from './policy-history.ts'
import type { App, RouteComponents } from './route.ts'

const PROBLEMS = {
  400: 'the policy is wrong, or the runner cannot be loaded with it; the sentence says why',
  413: 'larger than settings can be',
  415: 'of another Content-Type',
  503: 'the node has no folder to put it into',
}

/** The policy in force, what a candidate would change, and putting it in force. For the operator. */
export function policyRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  const { authorOf } = policyAuthors(components)
  const config = "the runner's config.json; comments are allowed, and kept"
  const request = {
    body: { content: { 'application/json': { schema: { description: config } } }, required: true },
  }

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/policy',
      summary: 'The policy in force, what its rules have said since the start, and what runners know of this node',
      scope: 'read',
      answers: { 200: plainAnswer('the policy', policyViewSchema) },
    },
    (context) => context.json(node.policy()),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/policy/preview',
      summary: 'What would change among everything that is live here under this policy; nothing is done',
      scope: 'operate',
      ...request,
      answers: { 200: plainAnswer('services whose state would change, best first', previewSchema) },
      problems: PROBLEMS,
    },
    async ({ req, json }) => {
      return json(await node.previewPolicy(await textOf(req.raw), { signal: req.raw.signal }))
    },
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/policy',
      summary: 'Put this policy in force; the one before is kept as config.json.previous',
      scope: 'operate',
      ...request,
      headers: ifMatch,
      answers: {
        200: plainAnswer(
          'services whose state changed, and how many others are decided again in the background',
          appliedSchema,
        ),
      },
      problems: { ...PROBLEMS, 409: 'config.json is not the one that If-Match names' },
    },
    async ({ req, json, var: { principal } }) => {
      const options = { signal: req.raw.signal, replaces: replacedBy(req.raw), by: authorOf(principal) }
      return json(await node.applyPolicy(await textOf(req.raw), options))
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/policy/text',
      summary: "The runner's config.json as it is on the disk, with its comments, and the one before it",
      scope: 'operate',
      answers: { 200: plainAnswer('the text and its sha256', policyTextSchema) },
    },
    async (context) => context.json(await node.policyText()),
  )

  operation(
    app,
    components,
    {
      method: 'post',
      path: '/policy/check',
      summary: 'What is wrong with this policy; the runner is not loaded with it',
      scope: 'operate',
      ...request,
      answers: { 200: plainAnswer('problems, none where it is right', policyCheckSchema) },
      problems: PROBLEMS,
    },
    async ({ req, json }) => json(checkOf(await textOf(req.raw), node.network)),
  )

  async function textOf(body: Request): Promise<string> {
    const type = (body.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
    if (type !== 'application/json') throw new HttpProblem(415, 'the body must have the Content-Type application/json')
    const bytes = await readBody(body, { max: MAX_SETTINGS_BYTES, clock, timeoutMs: BODY_TIMEOUT_MS })
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch (cause) {
      throw new HttpProblem(400, 'the body is no UTF-8 text', { cause })
    }
  }
}

function checkOf(text: string, network: string): PolicyCheck {
  try {
    const { notices } = readPolicyText(text, undefined, network)
    return { problems: [], notices: notices.map(({ message }) => message) }
  } catch (error) {
    if (error instanceof SettingsError) return { problems: error.problems, notices: [] }
    if (error instanceof InputError) return { problems: [error.message], notices: [] }
    throw error
  }
}
