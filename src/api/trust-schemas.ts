import { z } from 'zod'
import type { StatementView, ThundercloudNode, TreeBranch, TrustTree } from '../node/contract.ts'
import { count, everyOne } from './verdict-schemas.ts'

/** What became of a statement that was handed in; `older` and `untrusted` ones are of no use to this node. */
export type SubmittedStatement = Awaited<ReturnType<ThundercloudNode['submitStatement']>>

export const submittedStatementSchema: z.ZodType<SubmittedStatement> = z.object({
  id: z.string(),
  outcome: everyOne<SubmittedStatement['outcome']>({
    new: true,
    known: true,
    older: true,
    untrusted: true,
    dropped: true,
  }),
})

const statementViewSchema: z.ZodType<StatementView> = z.object({
  id: z.string(),
  kind: everyOne<StatementView['kind']>({ attestation: true, freeze: true, delegation: true }),
  signer: z.string(),
  trusted: z.boolean(),
  own: z.boolean(),
  seq: count,
  issued: count,
  expires: count,
  receivedAt: count,
  via: everyOne<StatementView['via']>({ gossip: true, sync: true, record: true, staple: true, api: true }),
  code: z.string().optional(),
  verdict: z.enum(['safe', 'unsafe']).optional(),
  severity: z.string().optional(),
  report: z.string().optional(),
  address: z.string().optional(),
  chain: z.string().optional(),
  amount: z.string().optional(),
  subject: z.string().optional(),
  depth: count.optional(),
  revoked: z.boolean().optional(),
})

export const statementsSchema = z.object({ statements: z.array(statementViewSchema) })

const branchSchema: z.ZodType<TreeBranch> = z
  .object({
    address: z.string(),
    depth: count,
    until: count.optional(),
    idle: z.array(z.object({ address: z.string(), why: z.string() })),
    get branches() {
      return z.array(branchSchema)
    },
  })
  .meta({ id: 'TreeBranch' })

export const trustTreeSchema: z.ZodType<TrustTree> = z.object({
  roots: z.array(branchSchema),
  asked: z.object({ address: z.string(), in: z.boolean(), why: z.string(), path: z.array(z.string()) }).optional(),
})
