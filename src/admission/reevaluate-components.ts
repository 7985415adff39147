import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Verdict } from '../base/verdict.ts'
import type { Dormitory, Granted } from '../execution/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Applier } from './apply.ts'
import type { Evaluator, Subject } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { NodeFactsSource } from './node-facts.ts'
import type { RuleCounters } from './rule-counters.ts'

export interface ReevaluatorComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  facts: NodeFactsSource
  evaluator: Evaluator
  applier: Applier
  dormitory: Pick<Dormitory, 'all' | 'get' | 'eventCounter'>
  granted(): Granted[]
  /** The verdict in force, if the runner has given one. */
  latest(id: string): Verdict | undefined
  /** Live services of others, page by page, in the order of their arrival. */
  live(after: number, max: number): { row: number; id: string }[]
  forgotten(): number
  /** Undefined where it is over: stopped, superseded and not running any more, expired, forgotten. */
  subjectOf(id: string): Subject | undefined
  /** Its standing is journalled: the mesh and the publisher may hear of it. */
  changed(id: string, redirect: boolean): void
  counters: RuleCounters
  texts: AddressTexts
  trust: Pick<Trust, 'factsOf'>
}
