import type { ExecutorName, Grant, Reason, Verdict } from '../../base/verdict.ts'
import { capacityFor, NEWER_VERSION_RUNS } from '../../execution/index.ts'
import { limitError } from '../../runner/index.ts'
import { beyondLimits, declined, dispositionOf, finalVerdict, moved, parkedVerdict } from '../disposition.ts'
import type { Subject } from '../evaluate.ts'
import { type AdmissionState, runOf, withChanges } from './admission-state.ts'
import { outputsReason } from './outputs-reason.ts'
import { planEviction, planParking, WAITS_FOR_CAPACITY } from './plan-parking.ts'
import { type PlannedChange, unpark } from './planned-change.ts'

/** All that follows from a verdict about one service, in the state that the node is in. Pure: nothing is done here. */
export function planChanges(subject: Subject, asked: Verdict, state: AdmissionState): PlannedChange[] {
  const { id } = subject
  const held = runOf(state, id)?.grant
  const verdict = held === undefined ? withinLimits(subject, asked, state) : asked
  if (verdict.run === false) return planWithoutRun(subject, verdict, state)
  if (held === undefined) return planStart(subject, verdict, verdict.run, state)
  if (verdict.run.executor !== held.executor) {
    return planWithoutRun(subject, moved(verdict, held, verdict.run), state, { moves: verdict.run.executor })
  }
  // a run keeps the grant under which it began: nothing takes memory away from a process that has it
  return [unpark(id), { do: 'record', id, verdict: { ...verdict, run: held, evict: undefined } }]
}

/** It is not run: what runs of it ends, and it is parked, redirected or neither. */
function planWithoutRun(
  subject: Subject,
  asked: Verdict,
  state: AdmissionState,
  { moves, why }: { moves?: ExecutorName; why?: string } = {},
): PlannedChange[] {
  const { id } = subject
  const final = runOf(state, id) === undefined ? undefined : state.service.final
  const verdict = final === undefined ? asked : finalVerdict(asked, final, state.mayRedirect)
  const stops = planStops(subject, verdict, state, why)
  if (dispositionOf(verdict) !== 'parked') return [...stops, unpark(id), { do: 'record', id, verdict }]
  const parking = planParking(subject, verdict, state)
  const isParked = dispositionOf(parking.verdict) === 'parked'
  return [...stops, ...parking.changes, { do: 'record', id, verdict: parking.verdict, ...(isParked && { moves }) }]
}

/** It is claimed by others: what runs of it ends, and it stands by until a replica is missing. */
export function planStandBy(subject: Subject, before: Verdict, why: string, state: AdmissionState): PlannedChange[] {
  const reason: Reason = { rule: 'replicas', outcome: 'defer', message: why }
  return planWithoutRun(subject, parkedVerdict(before, [{ on: 'replica' }], reason), state, { why })
}

/** The node is drained: what runs of it ends, and it waits until the node takes services again. */
export function planDrained(subject: Subject, before: Verdict, why: string, state: AdmissionState): PlannedChange[] {
  const reason: Reason = { rule: 'drain', outcome: 'defer', message: why }
  const verdict = { ...before, redirect: before.redirect || state.mayRedirect }
  return planWithoutRun(subject, parkedVerdict(verdict, WAITS_FOR_CAPACITY, reason), state, { why })
}

/** It starts where it fits, once its claim on a replica stands. Where another one was faster, it waits for capacity. */
function planStart(subject: Subject, verdict: Verdict, grant: Grant, state: AdmissionState): PlannedChange[] {
  const { id } = subject
  const older = state.service.older
  const replaces = older.find((version) => runOf(state, version) !== undefined) ?? older[0]
  const capacity = capacityOf(verdict, grant, state)
  if ('shortage' in capacity) {
    const reason: Reason = { rule: 'capacity', outcome: 'defer', message: capacity.shortage }
    const redirect = verdict.redirect || state.mayRedirect
    const parking = planParking(subject, parkedVerdict({ ...verdict, redirect }, WAITS_FOR_CAPACITY, reason), state)
    return [
      ...planFailingStops(state),
      ...parking.changes,
      ...planStops(subject, parking.verdict, state),
      { do: 'record', id, verdict: parking.verdict },
    ]
  }
  const { begins, placed } = state.service
  if (begins && !placed) {
    const now = older.some((version) => runOf(state, version) !== undefined)
    return [unpark(id), { do: 'claim', id, grant, now }, { do: 'record', id, verdict }]
  }
  const starts: PlannedChange[] = state.service.begins
    ? [{ do: 'start', subject, grant, replaces, evicts: verdict.evict, ends: capacity.evicts, rank: verdict.rank ?? 0 }]
    : []
  const evictions: PlannedChange[] = []
  let next = withChanges(state, [unpark(id)])
  for (const other of capacity.evicts) {
    const changes = planEviction(other, subject, next)
    evictions.push(...changes)
    next = withChanges(next, changes)
  }
  return [...starts, unpark(id), ...evictions, { do: 'record', id, verdict }]
}

/** Which runs end for a grant, or why it does not fit. */
function capacityOf(
  verdict: Verdict,
  grant: Grant,
  state: AdmissionState,
): { evicts: readonly string[] } | { shortage: string } {
  const { id, begins, older } = state.service
  if (state.runs.some(({ service, ending }) => service === id && ending)) {
    return { shortage: 'its run before is still ending' }
  }
  if (!begins) return { evicts: [] }
  const { limits } = state
  const runs = [...state.runs, ...state.claims.filter(({ service }) => service !== id)]
  const leaving = state.runs.flatMap(({ service, yields }) => (yields ? [service] : []))
  const found = capacityFor(grant, { limits, runs, leaving, offered: verdict.evict ?? [], older })
  if ('shortage' in found) return found
  return { evicts: found.evicts.filter((other) => runOf(state, other) !== undefined) }
}

/** Older versions that end by themselves again and again: nothing goes back to them, and each would keep its capacity. */
function planFailingStops({ runs, service: { older } }: AdmissionState): PlannedChange[] {
  const failing = older.filter((version) => runs.some((run) => run.service === version && run.failing))
  return failing.map((id) => ({ do: 'stop', id, why: NEWER_VERSION_RUNS }))
}

/** The run of a service that may not run any more, and that of an older version whose successor does not run here. */
function planStops({ id }: Subject, verdict: Verdict, state: AdmissionState, why?: string): PlannedChange[] {
  const stops: PlannedChange[] = []
  if (runOf(state, id) !== undefined) {
    const reason = verdict.reasons.find(({ outcome }) => outcome !== 'pass')
    const decided = `this node does not let it run${reason === undefined ? '' : `: ${reason.message}`}`
    stops.push({ do: 'stop', id, why: why ?? decided, graceMs: state.service.graceMs })
  }
  const older = state.service.older.find((version) => runOf(state, version) !== undefined)
  if (older !== undefined && dispositionOf(verdict) !== 'parked') {
    stops.push({ do: 'stop', id: older, why: 'its newer version is not run here' })
  }
  return stops
}

function withinLimits(subject: Subject, verdict: Verdict, state: AdmissionState): Verdict {
  if (verdict.run === false) return verdict
  const unkept = outputsReason(subject.signed.body.run, state.resultBytes)
  if (unkept !== undefined) return declined(verdict, unkept, state.mayRedirect)
  const evict = verdict.evict?.filter((id) => !state.ended.has(id))
  const problem = limitError({ ...verdict, evict }, state.service.author, state.facts)
  return problem === undefined ? verdict : declined(verdict, beyondLimits(problem), state.mayRedirect)
}
