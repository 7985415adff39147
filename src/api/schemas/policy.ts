import { EXECUTOR_NAMES, type ExecutorName } from '../../base/verdict.ts'
import type {
  Applied,
  Change,
  Disposition,
  PastPolicy,
  PastPolicyText,
  PolicyAuthor,
  PolicyFacts,
  PolicyText,
  PolicyView,
  Preview,
} from '../../node/types.ts'
import { anything, array, boolean, everyOne, object, oneOf, record, type Shape, string } from '../shape.ts'
import { count, reasonSchema } from './verdict.ts'

export const disposition = everyOne<Disposition>({ run: true, parked: true, redirected: true, refused: true })

export const changeSchema: Shape<Change> = object({
  id: string,
  name: string,
  author: string,
  from: disposition,
  to: disposition,
  reasons: array(reasonSchema),
  because: reasonSchema.optional(),
  moves: oneOf(...EXECUTOR_NAMES).optional(),
  claims: boolean.optional(),
})

export const previewSchema: Shape<Preview> = object({
  changes: array(changeSchema),
  more: count,
  asked: count,
  notAsked: count,
  forgotten: count,
})
export const appliedSchema: Shape<Applied> = object({ changes: array(changeSchema), background: count })

export const policyTextSchema: Shape<PolicyText> = object({ text: string, sha256: string, previous: string.optional() })

const pastPolicyFields = {
  ...{ number: count, at: count, sha256: string, bytes: count, added: count, removed: count, newest: boolean },
  by: object<PolicyAuthor>({ kind: oneOf('socket', 'token', 'session', 'file'), id: string, label: string }),
  sameAs: count.optional(),
}
const pastPolicySchema: Shape<PastPolicy> = object(pastPolicyFields)
export const pastPoliciesSchema: Shape<{ policies: readonly PastPolicy[] }> = object({
  policies: array(pastPolicySchema),
})
export const pastPolicyTextSchema: Shape<PastPolicyText> = object({ ...pastPolicyFields, text: string })

/** What is wrong with a policy, one sentence each; and what an operator should know of one that is right. */
export type PolicyCheck = { readonly problems: readonly string[]; readonly notices: readonly string[] }
export const policyCheckSchema: Shape<PolicyCheck> = object({ problems: array(string), notices: array(string) })

const executorName = everyOne<ExecutorName>({ docker: true, host: true, pool: true, swarm: true })
const resources = { memory: count, cpu: count, disk: count, pids: count }

/** `facts.config` is the runner's configuration as the node reads it: its shape is the file's, with all defaults filled in. */
export const policyViewSchema = object({
  hash: string,
  counts: record(object({ pass: count, fail: count, defer: count, warned: count })),
  parked: count,
  facts: object({
    config: record(anything),
    own: string,
    capacity: object({
      memoryBytes: count,
      cpuMillicores: count,
      diskBytes: count,
      pids: count,
      runs: count,
      executors: array(
        object({
          name: executorName,
          toolchains: array(string).optional(),
          ownOnly: boolean.optional(),
          networks: array(oneOf('allowlist', 'open')).optional(),
          note: string.optional(),
        }),
      ),
      here: object({ memoryBytes: count, cpuMillicores: count, diskBytes: count }).optional(),
    }),
    clientRegistries: record(string).optional(),
    running: array(
      object({
        id: string,
        author: string,
        name: string,
        rank: count,
        own: boolean,
        executor: executorName,
        ...resources,
      }),
    ),
  }),
}) as unknown as Shape<PolicyView & PolicyFacts>
