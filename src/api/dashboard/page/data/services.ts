import type { ServiceState, ServiceView } from '../../../../node/types.ts'
import type { LiveEvent } from './live.ts'

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

/** One page of services. `next`: where the next page begins; `total`: how many match. */
export type ServiceList = {
  readonly services: readonly ServiceView[]
  readonly next?: string | undefined
  readonly total?: number | undefined
}

export const PAGE_ROWS = 100

export function servicesPath(filter: Readonly<Record<string, string>>): string {
  return `/services?${new URLSearchParams({ ...filter, limit: String(PAGE_ROWS) })}`
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
