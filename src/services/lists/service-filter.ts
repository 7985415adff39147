import type { ServiceRowFilter } from '../../journal/index.ts'
import type { ServiceEntry } from '../registry.ts'
import type { ServiceState } from '../types.ts'
import type { ServiceQuery, VerdictFilter } from './types.ts'

/**
 * In which rows services of a state are. A state follows from the verdict, the run and the time, so the rows are a superset,
 * which an index finds; undefined: any row.
 */
const ROWS_OF_STATE: Record<ServiceState, readonly (VerdictFilter | 'held')[] | undefined> = {
  published: ['undecided'],
  deciding: ['undecided'],
  refused: ['refused', 'held'],
  redirected: ['redirected'],
  parked: ['parked', 'held'],
  accepted: ['held'],
  running: ['held'],
  done: ['held'],
  failed: ['held'],
  stopped: undefined,
  expired: undefined,
}

/** What the journal looks for. */
export function rowFilter({ states, verdict, search }: ServiceQuery | Omit<ServiceQuery, 'limit'>): ServiceRowFilter {
  const text = search === undefined || search === '' ? undefined : search
  if (verdict !== undefined) return { kinds: [verdict], text }
  if (states === undefined || states.length === 0) return { text }
  const kinds = states.map((state) => ROWS_OF_STATE[state])
  if (kinds.some((each) => each === undefined)) return { text, slice: true }
  return { kinds: [...new Set(kinds.flatMap((each) => each ?? []))], text }
}

/** Whether a service is one of those that are asked for. */
export function entryFilter(
  { states, search }: Omit<ServiceQuery, 'limit'>,
  stateOf: (entry: ServiceEntry) => ServiceState,
): (entry: ServiceEntry) => boolean {
  const wanted = states === undefined || states.length === 0 ? undefined : new Set(states)
  const text = search?.toLowerCase()
  return (entry) => {
    if (wanted !== undefined && !wanted.has(stateOf(entry))) return false
    if (text === undefined || text === '') return true
    const { name, title, desc, keywords } = entry.signed.body
    return [name, title, desc, ...keywords].some((each) => each.toLowerCase().includes(text))
  }
}
