import type { Verdict } from '../../base/verdict.ts'
import type { Granted } from '../../execution/index.ts'
import type { NodeFacts, RunningService } from '../../runner/index.ts'
import type { ApplyResult } from '../apply.ts'
import type { Decision, Subject } from '../evaluate.ts'
import type { AssumedFacts } from '../facts/node-facts.ts'
import type { Disposition } from '../views.ts'

/** What a round decides about, and what it does with a decision: commits it, or only takes note of it (`dry-run.ts`). */
export interface ReevaluationTarget {
  /** All that holds capacity, in the order in which it began. */
  running(): readonly RunningService[]
  granted(): readonly Granted[]
  /** As if only `held` ran. */
  assuming(held: readonly RunningService[], options: AssumedFacts): NodeFacts
  /** Undefined where it is over: stopped, superseded and not running any more, expired, forgotten. */
  subjectOf(id: string): Subject | undefined
  isParked(id: string): boolean
  /** The verdict in force. */
  verdictOf(id: string): Verdict | undefined
  /** Would it run again if it ended? */
  mayRestart(subject: Subject): boolean
  /** Does it begin only when its claim on a replica stands? */
  mustClaim(subject: Subject): boolean
  /** Asks the runner; by default with what is true for the service. */
  evaluate(subject: Subject, facts?: NodeFacts): Promise<Decision>
  eventCounter(): number
  apply(subject: Subject, decision: Decision, about: Applying): ApplyResult
}

export type Applying = {
  readonly from: Disposition
  /** what `eventCounter` said before the runner was asked */
  readonly sinceEvent: number
  /** it was asked as if all of LIMITS were free, and is not admitted */
  readonly screened?: boolean
}
