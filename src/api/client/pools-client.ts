import type { PoolDataView, PoolSpec, PoolView } from '../../node/types.ts'
import { poolDataSchema, poolListSchema, poolRemovedSchema, poolViewSchema } from '../schemas/pools.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** The pools of a node. */
export interface PoolsClient {
  list(options?: AbortOptions): Promise<readonly PoolView[]>
  create(spec: PoolSpec, options?: AbortOptions): Promise<PoolView>
  remove(name: string, options?: AbortOptions & { force?: boolean }): Promise<void>
  listData(options?: AbortOptions): Promise<readonly PoolDataView[]>
  removeData(name: string, options?: AbortOptions & { service?: string | undefined }): Promise<void>
}

/** The first pool of a node waits for what its runs begin with to be copied, and maybe for an image to be made. */
const CREATE_TIMEOUT_MS = 10 * 60_000
const REMOVE_TIMEOUT_MS = 120_000

export function createPoolsClient({ ask }: RestClient): PoolsClient {
  return {
    list: async (options) => (await ask(poolListSchema, '/pools', { ...options })).pools,
    create: (spec, options) =>
      ask(
        poolViewSchema,
        '/pools',
        { ...options, method: 'POST', body: JSON.stringify(spec), type: 'application/json' },
        CREATE_TIMEOUT_MS,
      ),
    async remove(name, { force = false, signal } = {}) {
      const path = `/pools/${encodeURIComponent(name)}/remove?force=${force}`
      await ask(poolRemovedSchema, path, { method: 'POST', signal }, REMOVE_TIMEOUT_MS)
    },
    listData: async (options) => (await ask(poolDataSchema, '/pools/data', { ...options }, REMOVE_TIMEOUT_MS)).data,
    async removeData(name, { service, signal } = {}) {
      const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`
      const path = `/pools/${encodeURIComponent(name)}/data/remove${query}`
      await ask(poolRemovedSchema, path, { method: 'POST', signal }, REMOVE_TIMEOUT_MS)
    },
  }
}
