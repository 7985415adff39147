import type { Applied, PastPolicy, PastPolicyText, PolicyText } from '../../node/types.ts'
import { appliedSchema, pastPoliciesSchema, pastPolicyTextSchema, policyTextSchema } from '../schemas/policy.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Policies that were in force on a node. */
export interface PolicyHistoryClient {
  /** Newest first, without their texts. */
  list(options?: AbortOptions): Promise<readonly PastPolicy[]>
  /** Throws NotFoundError. */
  get(number: number, options?: AbortOptions): Promise<PastPolicyText>
  /** Puts it in force again. `replaces`: the sha256 of the config.json that it may replace; throws a ConflictError where that is another. */
  revert(number: number, options?: { replaces?: string | undefined } & AbortOptions): Promise<Applied>
  /** The runner's config.json as it is on the node's disk. */
  text(options?: AbortOptions): Promise<PolicyText>
}

export function createPolicyHistoryClient({ ask }: RestClient, timeoutMs: number): PolicyHistoryClient {
  return {
    list: async (options) => (await ask(pastPoliciesSchema, '/policy/history', { ...options })).policies,
    get: (number, options) => ask(pastPolicyTextSchema, `/policy/history/${number}`, { ...options }),
    revert: (number, { replaces, signal } = {}) =>
      ask(
        appliedSchema,
        `/policy/history/${number}/revert`,
        { signal, method: 'POST', headers: replaces === undefined ? {} : { 'if-match': `"${replaces}"` } },
        timeoutMs,
      ),
    text: (options) => ask(policyTextSchema, '/policy/text', { ...options }),
  }
}
