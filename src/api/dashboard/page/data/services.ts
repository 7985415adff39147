import type { ServiceState, ServiceView } from '../../../../node/types.ts'
import type { LiveEvent } from './live.ts'
import { ask } from './request.ts'

/** In the order of a service's life. */
export const STATES: readonly ServiceState[] = [
  'deciding',
  'accepted',
  'running',
  'done',
  'parked',
  'redirected',
  'refused',
  'failed',
  'published',
  'stopped',
  'expired',
]

/** One page of services. `next`: where the next page begins; `asOf`: an answer in pages says which state of the node it shows. */
export type ServiceList = {
  readonly services: readonly ServiceView[]
  readonly next?: string | undefined
  readonly asOf?: unknown
}

export const PAGE_ROWS = 100
/** A filter that finds little answers in parts: so many are asked for at once. */
const MAX_PARTS = 20

/** `filter`: state, verdict, author, search, and the cursor where the page begins. */
export async function readServices(
  filter: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ServiceList> {
  const services: ServiceView[] = []
  let { cursor } = filter
  for (let part = 0; part < MAX_PARTS; part++) {
    const query = { ...filter, limit: String(PAGE_ROWS - services.length), ...(cursor === undefined ? {} : { cursor }) }
    const page = await ask<ServiceList>(`/services?${new URLSearchParams(query)}`, { signal })
    if (page.asOf === undefined) return pageOf(page.services, filter)
    services.push(...page.services)
    cursor = page.next
    if (cursor === undefined || services.length >= PAGE_ROWS) break
  }
  return { services, next: cursor }
}

/** Of an answer that has all services, whatever was asked for. */
function pageOf(all: readonly ServiceView[], filter: Readonly<Record<string, string>>): ServiceList {
  const { state, author, search, cursor = '0' } = filter
  const text = search?.toLowerCase() ?? ''
  const found = all.filter(
    (service) =>
      (state === undefined || service.state === state) &&
      (author === undefined || service.author === author) &&
      [service.name, service.title, service.desc].some((each) => each.toLowerCase().includes(text)),
  )
  const end = Number(cursor) + PAGE_ROWS
  return { services: found.slice(Number(cursor), end), next: end < found.length ? String(end) : undefined }
}

const CHANGES = new Set([
  'intake:received',
  'node:verdict',
  'node:state',
  'node:parked',
  'node:woken',
  'node:evicted',
  'node:redecided',
  'node:reconsidered',
  'execution:state',
  'execution:healthy',
])

/** Whether an event may change what is known of services; `id`: of this one. */
export function changesServices({ name, detail }: LiveEvent, id?: string): boolean {
  if (!CHANGES.has(name) && name !== 'node:receipt' && name !== 'execution:usage') return false
  if (id === undefined) return CHANGES.has(name)
  const about = detail as { id?: string; service?: string }
  return (about.id ?? about.service ?? id) === id
}

const CODE_CHANGES = new Set(['code:added', 'code:removed', 'code:fetch-started', 'code:fetch-finished'])

/** Whether an event may change what is known of the code of this service: whether it is here, and which sources failed. */
export function changesCode(
  { name, detail }: LiveEvent,
  of: { service: string | undefined; code: string | undefined },
): boolean {
  const about = detail as { code?: string; service?: string }
  if (name === 'code:source-failed') return about.service === of.service
  return CODE_CHANGES.has(name) && about.code === of.code
}
