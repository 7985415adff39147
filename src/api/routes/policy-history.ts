import { z } from 'zod'
import type { PolicyAuthor } from '../../node/types.ts'
import type { Principal } from '../access/principal.ts'
import { HttpProblem } from '../http-errors.ts'
import { appliedSchema, pastPoliciesSchema, pastPolicyTextSchema } from '../schemas/policy.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const params = z.object({ number: z.string().describe('the number of a policy of the history') })
const NOT_KEPT = { 404: 'it is not in the history, or not any more' }

/** What condition a change of the policy has. */
export const ifMatch = z.object({
  'if-match': z.string().optional().describe('the sha256 of the config.json that it replaces, in quotation marks'),
})

/** Policies that were in force, and bringing one back. They may hold what the policy itself holds: for who may change it. */
export function policyHistoryRoutes(app: App, components: RouteComponents): void {
  const { node } = components
  const { authorOf } = policyAuthors(components)
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/policy/history',
      summary: 'Policies that were put in force, by whom, newest first',
      description: 'The newest 100 are kept, and at most 8 MiB of their texts.',
      scope: 'operate',
      answers: { 200: plainAnswer('the policies, without their texts', pastPoliciesSchema) },
    },
    (context) => context.json({ policies: node.policyHistory.list() }),
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/policy/history/{number}',
      summary: 'One of them, with its text',
      scope: 'operate',
      params,
      answers: { 200: plainAnswer('the policy', pastPolicyTextSchema) },
      problems: NOT_KEPT,
    },
    (context, { params: { number } }) => context.json(node.policyHistory.get(numberIn(number))),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/policy/history/{number}/revert',
      summary: 'Put one of them in force again; POST /policy/preview says before what that would change',
      scope: 'operate',
      params,
      headers: ifMatch,
      answers: {
        200: plainAnswer(
          'services whose state changed, and how many others are decided again in the background',
          appliedSchema,
        ),
      },
      problems: {
        400: 'this version does not understand the old policy, or the runner cannot be loaded with it; the sentence says why',
        ...NOT_KEPT,
        409: 'config.json is not the one that If-Match names',
      },
    },
    async ({ req, json, var: { principal } }, { params: { number } }) => {
      const { text } = node.policyHistory.get(numberIn(number))
      const options = { signal: req.raw.signal, replaces: replacedBy(req.raw), by: authorOf(principal) }
      return json(await node.applyPolicy(text, options))
    },
  )
}

/** Who changes the policy, as people know them: tokens and sessions go, so the history keeps their names. */
export function policyAuthors({ tokens, sessions }: Pick<RouteComponents, 'tokens' | 'sessions'>) {
  const nameOf = (tokenId: string) => tokens.list().find(({ id }) => id === tokenId)?.name ?? tokenId
  return {
    authorOf({ kind, id }: Principal): PolicyAuthor {
      if (kind === 'socket') return { kind, id, label: '' }
      if (kind === 'token') return { kind, id, label: nameOf(id) }
      const by = sessions.list().find((session) => session.id === id)?.by
      return { kind, id, label: by === undefined ? '' : nameOf(by) }
    },
  }
}

export function replacedBy({ headers }: Request): string | undefined {
  const header = headers.get('if-match')
  if (header === null) return undefined
  const [, hash] = /^"([0-9a-f]{64})"$/.exec(header) ?? []
  if (hash !== undefined) return hash
  throw new HttpProblem(400, 'If-Match must be the sha256 of a config.json in quotation marks')
}

/** What is no number is none that is kept. */
function numberIn(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0
}
