import type { StatementView, ThundercloudNode, TreeBranch, TrustTree } from '../../node/types.ts'
import { array, boolean, everyOne, object, oneOf, recursive, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

/** What became of a statement that was handed in; `older` and `untrusted` ones are of no use to this node. */
export type SubmittedStatement = Awaited<ReturnType<ThundercloudNode['submitStatement']>>

export const submittedStatementSchema: Shape<SubmittedStatement> = object({
  id: string,
  outcome: everyOne<SubmittedStatement['outcome']>({
    new: true,
    known: true,
    older: true,
    untrusted: true,
    dropped: true,
  }),
})

const statementViewSchema: Shape<StatementView> = object({
  id: string,
  kind: everyOne<StatementView['kind']>({ attestation: true, freeze: true, delegation: true }),
  signer: string,
  trusted: boolean,
  own: boolean,
  seq: count,
  issued: count,
  expires: count,
  receivedAt: count,
  via: everyOne<StatementView['via']>({ gossip: true, sync: true, record: true, staple: true, api: true }),
  code: string.optional(),
  verdict: oneOf('safe', 'unsafe').optional(),
  severity: string.optional(),
  report: string.optional(),
  address: string.optional(),
  chain: string.optional(),
  amount: string.optional(),
  subject: string.optional(),
  depth: count.optional(),
  revoked: boolean.optional(),
})

export const statementsSchema = object({ statements: array(statementViewSchema) })

export const branchSchema: Shape<TreeBranch> = recursive('TreeBranch', (branch) =>
  object<TreeBranch>({
    address: string,
    depth: count,
    until: count.optional(),
    idle: array(object({ address: string, why: string })),
    branches: array(branch),
  }),
)

export const trustTreeSchema: Shape<TrustTree> = object({
  roots: array(branchSchema),
  asked: object({ address: string, in: boolean, why: string, path: array(string) }).optional(),
})
