import type { ParkedService } from '../../base/parked-service.ts'
import type { ExecutorName, Grant, Verdict } from '../../base/verdict.ts'
import type { ParkResult } from '../../execution/index.ts'
import type { Subject } from '../evaluate.ts'
import type { Disposition } from '../views.ts'

/** One step that follows from a verdict. They are carried out together, in this order, or not at all. */
export type PlannedChange =
  /** `evicts`: services that may end for it, in this order; `ends`: those of them that do */
  | {
      readonly do: 'start'
      readonly subject: Subject
      readonly grant: Grant
      readonly replaces: string | undefined
      readonly evicts: readonly string[] | undefined
      readonly ends: readonly string[]
      readonly rank: number
    }
  /** It starts if other nodes do not go first. `now`: it is the update of what runs here, and does not wait. */
  | { readonly do: 'claim'; readonly id: string; readonly grant: Grant; readonly now: boolean }
  | { readonly do: 'stop'; readonly id: string; readonly why: string; readonly graceMs?: number | undefined }
  | {
      readonly do: 'park'
      readonly service: Omit<ParkedService, 'since'>
      readonly name: string
      /** what happened after this event wakes it at once */
      readonly sinceEvent: number
      readonly place: Extract<ParkResult, { parked: true }>
      /** it was not parked before */
      readonly isNew: boolean
    }
  | { readonly do: 'unpark'; readonly id: string }
  /** the verdict in force from now on */
  | {
      readonly do: 'record'
      readonly id: string
      readonly verdict: Verdict
      /** another service than the one that was decided about, which had to make way */
      readonly displaced?: Displaced | undefined
      /** it ends, and begins again by this executor */
      readonly moves?: ExecutorName | undefined
    }

type Displaced = {
  readonly from: Disposition
  /** its run ends for the service `by` */
  readonly evicted?: { readonly name: string; readonly by: string }
}

/** What a plan leaves: the verdict in force, and what else had to make way. */
export type Outcome = {
  readonly verdict: Verdict
  /** it ends, and begins again by this executor */
  readonly moves?: ExecutorName | undefined
  readonly displaced: readonly { readonly id: string; readonly from: Disposition; readonly verdict: Verdict }[]
}

export function planOutcome(changes: readonly PlannedChange[], { id }: Subject): Outcome {
  for (const change of changes) {
    if (change.do !== 'record' || change.id !== id || change.displaced !== undefined) continue
    return { verdict: change.verdict, moves: change.moves, displaced: displacedIn(changes) }
  }
  throw new Error('a plan records the verdict on its service')
}

export function displacedIn(changes: readonly PlannedChange[]): Outcome['displaced'] {
  return changes.flatMap((change) => {
    if (change.do !== 'record' || change.displaced === undefined) return []
    return [{ id: change.id, from: change.displaced.from, verdict: change.verdict }]
  })
}

export function unpark(id: string): PlannedChange {
  return { do: 'unpark', id }
}
