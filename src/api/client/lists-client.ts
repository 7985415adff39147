import type { ServiceView } from '../../node/types.ts'
import type { PageQuery, ReceiptQuery, RunQuery, ServiceCounts, ServiceQuery } from '../../services/lists/types.ts'
import {
  type DormitoryPage,
  dormitoryPageSchema,
  type ReceiptsPage,
  type RunsPage,
  receiptsPageSchema,
  runsPageSchema,
  type ServicesPage,
  serviceCountsSchema,
  servicesPageSchema,
} from '../schemas/lists.ts'
import { queryOf, type RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** The limit is the node's where it is left out. */
type Optional<Query extends PageQuery> = Omit<Query, 'limit'> & { readonly limit?: number | undefined }

/** What a node knows, page by page, newest first. A page may be short; `next` is the cursor of the one after it. */
export interface ListsClient {
  services(query?: Optional<ServiceQuery>, options?: AbortOptions): Promise<ServicesPage>
  runs(query?: Optional<RunQuery>, options?: AbortOptions): Promise<RunsPage>
  receipts(query?: Optional<ReceiptQuery>, options?: AbortOptions): Promise<ReceiptsPage>
  dormitory(query?: Optional<PageQuery>, options?: AbortOptions): Promise<DormitoryPage>
  counts(options?: AbortOptions): Promise<ServiceCounts>
  allServices(options?: AbortOptions): AsyncIterable<ServiceView>
}

const WHOLE_PAGE = 1000

export function createListsClient({ ask }: RestClient): ListsClient {
  const client: ListsClient = {
    services: ({ states, ...query } = {}, options = {}) =>
      ask(servicesPageSchema, `/services${queryOf({ ...texts(query), state: states?.join(',') })}`, { ...options }),
    runs: (query = {}, options = {}) => ask(runsPageSchema, `/runs${queryOf(texts(query))}`, { ...options }),
    receipts: (query = {}, options = {}) =>
      ask(receiptsPageSchema, `/receipts${queryOf(texts(query))}`, { ...options }),
    dormitory: (query = {}, options = {}) =>
      ask(dormitoryPageSchema, `/dormitory${queryOf(texts(query))}`, { ...options }),
    counts: (options) => ask(serviceCountsSchema, '/services/counts', { ...options }),
    async *allServices(options = {}) {
      for (let cursor: string | undefined; ; ) {
        const page = await client.services({ limit: WHOLE_PAGE, cursor }, options)
        yield* page.services
        if (page.next === undefined) return
        cursor = page.next
      }
    },
  }
  return client
}

function texts(query: Readonly<Record<string, string | number | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).map(([key, value]) => [key, value?.toString()]))
}
