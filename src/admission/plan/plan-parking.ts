import type { Reason, Verdict } from '../../base/verdict.ts'
import { findSlot } from '../../execution/index.ts'
import { declined, parkedVerdict } from '../disposition.ts'
import type { Subject } from '../evaluate.ts'
import type { AdmissionState } from './admission-state.ts'
import { type PlannedChange, unpark } from './planned-change.ts'

export const WAITS_FOR_CAPACITY = [{ on: 'capacity' }] as const
const TAKEN = 'DORMITORY.MAX is reached, and a service that ranks higher took its place'

/** Parks it where there is a place. Where there is none, the verdict says so. */
export function planParking(
  { id, signed, arrived }: Subject,
  verdict: Verdict,
  state: AdmissionState,
): { changes: PlannedChange[]; verdict: Verdict } {
  const { dormitory, sinceEvent, mayRedirect } = state
  const { name, expires } = signed.body
  const service = { id, on: verdict.park ?? [], rank: verdict.rank ?? 0, arrived, expires: expires * 1000 }
  const place = findSlot({ ...service, since: dormitory.now }, state.service.until, dormitory)
  if (!place.parked) {
    const reason: Reason = { rule: 'dormitory', outcome: 'fail', message: place.why }
    return { changes: [unpark(id)], verdict: declined(verdict, reason, mayRedirect) }
  }
  const isNew = !dormitory.parked.has(id)
  const park: PlannedChange = { do: 'park', service, name, sinceEvent, place, isNew }
  const { replaced } = place
  const declines =
    replaced === undefined ? [] : declineParked(replaced.id, TAKEN, state.verdictOf(replaced.id), mayRedirect)
  return { changes: [park, ...declines], verdict }
}

/** It is out of the dormitory; its verdict says why. */
function declineParked(id: string, why: string, before: Verdict | undefined, mayRedirect: boolean): PlannedChange[] {
  if (before === undefined) return []
  const reason: Reason = { rule: 'dormitory', outcome: 'fail', message: why }
  return [{ do: 'record', id, verdict: declined(before, reason, mayRedirect), displaced: { from: 'parked' } }]
}

/** What follows when a parked service does not wait any longer. `before`: the verdict in force. */
export function planEndOfParking(
  id: string,
  why: string,
  before: Verdict | undefined,
  mayRedirect: boolean,
): PlannedChange[] {
  return [unpark(id), ...declineParked(id, why, before, mayRedirect)]
}

/** It had to end for another one: it waits for capacity, where it may run again. */
export function planEviction(id: string, by: Subject, state: AdmissionState): PlannedChange[] {
  const [service, before] = [state.serviceOf(id), state.verdictOf(id)]
  if (service === undefined || before === undefined) return []
  const { subject, final } = service
  const message = `it was evicted for ${by.id}, which ranks higher here`
  const reason = { rule: 'eviction', outcome: 'defer', message } as const
  const waits = parkedVerdict({ ...before, redirect: state.mayRedirect }, WAITS_FOR_CAPACITY, reason)
  const { changes, verdict } =
    final === undefined
      ? planParking(subject, waits, { ...state, service, sinceEvent: Number.POSITIVE_INFINITY })
      : ended(before, { ...reason, outcome: 'fail', message: `${message}; ${final.message}` }, state)
  const displaced = { from: 'run', evicted: { name: subject.signed.body.name, by: by.id } } as const
  return [...changes, { do: 'record', id, verdict, displaced }]
}

function ended(before: Verdict, reason: Reason, { mayRedirect }: AdmissionState) {
  return { changes: [], verdict: declined(before, reason, mayRedirect) }
}
