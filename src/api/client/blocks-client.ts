import type { Blocked, BlockInit, BlockView } from '../../node/types.ts'
import { blockedSchema, blocksSchema, unblockedSchema } from '../schemas/operator-orders.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }
type Subject = Pick<BlockView, 'kind' | 'subject'>

/** What the operator of a node has blocked. */
export interface BlocksClient {
  /** Oldest first. */
  list(options?: AbortOptions): Promise<readonly BlockView[]>
  add(block: BlockInit, options?: AbortOptions): Promise<Blocked>
  /** Throws NotFoundError. */
  remove(subject: Subject, options?: AbortOptions): Promise<BlockView>
}

export function createBlocksClient({ ask }: RestClient): BlocksClient {
  const at = ({ kind, subject }: Subject) => `/blocks/${kind}/${encodeURIComponent(subject)}`
  return {
    list: async (options) => (await ask(blocksSchema, '/blocks', { ...options })).blocks,
    add({ kind, subject, ...rest }, options) {
      const body = JSON.stringify(rest)
      return ask(blockedSchema, at({ kind, subject }), { ...options, method: 'POST', body, type: 'application/json' })
    },
    remove: async (subject, options) =>
      (await ask(unblockedSchema, `${at(subject)}/remove`, { ...options, method: 'POST' })).removed,
  }
}
