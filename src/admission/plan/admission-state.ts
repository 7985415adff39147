import type { Grant, Reason, Verdict } from '../../base/verdict.ts'
import type { DormitoryState, Granted, Resources } from '../../execution/index.ts'
import type { NodeFacts } from '../../runner/index.ts'
import type { Subject } from '../evaluate.ts'
import type { PlannedChange } from './planned-change.ts'

/** What a plan depends on (`plan-changes.ts`): as it is in the node, or as it would be. Nothing in it acts. */
export type AdmissionState = {
  /** may a service that does not run here be redirected? */
  readonly mayRedirect: boolean
  /** LIMITS.TOTAL */
  readonly limits: Resources
  /** LIMITS.RESULTS.BYTES */
  readonly resultBytes: number
  readonly runs: readonly Granted[]
  /** services that claim a replica, and what their runs will hold */
  readonly claims: readonly { readonly service: string; readonly grant: Grant }[]
  readonly dormitory: DormitoryState
  /** its event counter when the runner was asked */
  readonly sinceEvent: number
  /** what was true for the service, by which its grant is checked */
  readonly facts: NodeFacts
  /** services that the verdict evicts and that have ended since the runner was asked: their capacity is free */
  readonly ended: ReadonlySet<string>
  /** the service that was decided about */
  readonly service: ServiceState
  /** any other one that has to make way */
  serviceOf(id: string): (ServiceState & { readonly subject: Subject }) | undefined
  /** the verdict in force */
  verdictOf(id: string): Verdict | undefined
}

export type ServiceState = {
  readonly id: string
  /** canonical text of its address */
  readonly author: string
  /** why it does not wait for another run; undefined where it does */
  readonly final: Reason | undefined
  /** a run begins if it is started: a task runs once */
  readonly begins: boolean
  /** its run may begin, as far as other nodes have a say; before, it claims a replica */
  readonly placed: boolean
  /** when its time in the dormitory would be over, ms */
  readonly until: number
  /** how long its run may take to end, where its code is unsafe, ms */
  readonly graceMs: number | undefined
  /** versions before it, the latest first */
  readonly older: readonly string[]
}

/** The run of a service that is under way and is not about to end. */
export function runOf(state: AdmissionState, id: string) {
  return state.runs.find(({ service, ending }) => service === id && !ending)
}

/** The state after steps of a plan, for the steps that follow: what is parked then, and which verdicts are in force. */
export function withChanges(state: AdmissionState, changes: readonly PlannedChange[]): AdmissionState {
  const parked = new Map(state.dormitory.parked)
  const recorded = new Map<string, Verdict>()
  for (const change of changes) {
    if (change.do === 'unpark') parked.delete(change.id)
    if (change.do === 'record') recorded.set(change.id, change.verdict)
    if (change.do !== 'park') continue
    if (change.place.replaced !== undefined) parked.delete(change.place.replaced.id)
    parked.set(change.service.id, { ...change.service, since: state.dormitory.now })
  }
  const verdictOf = (id: string) => recorded.get(id) ?? state.verdictOf(id)
  return { ...state, dormitory: { ...state.dormitory, parked }, verdictOf }
}
