import type { ExecutorName, Verdict, WakeCondition } from '../base/verdict.ts'
import type { DrainedService } from './drain/drain-state.ts'
import type { BlockKind } from './operator/block-list.ts'
import type { Change, Disposition } from './views.ts'

/** What was decided about services. */
export type AdmissionEvents = {
  /** The runner has answered, or failed (then `failure` says how, and the verdict is: nothing). */
  'node:verdict': { id: string; name: string; verdict: Verdict; failure?: string | undefined; tookMs: number }
  /** It waits; `on` says what wakes it. Times are seconds. */
  'node:parked': { id: string; name: string; until: number; on: readonly WakeCondition['on'][] }
  /** It waits no longer. */
  'node:woken': { id: string; name: string; to: Disposition; sleptSeconds: number }
  /** It was running, and had to end for one that ranks higher. */
  'node:evicted': { id: string; name: string; by: string; parked: boolean }
  /** What is parked and running was decided again; `changes` of `services` have another disposition now. */
  'node:redecided': { services: number; changes: readonly Change[]; tookMs: number }
  /** What neither runs nor is parked was decided again too; `changes` are the first of the `changed`. `forgotten`: not there any more. */
  'node:reconsidered': {
    services: number
    changed: number
    changes: readonly Change[]
    forgotten: number
    tookMs: number
  }
  /** It is drained: it takes no new service, and these run. What runs at the deadline (seconds) is stopped. */
  'node:draining': { deadline?: number | undefined; services: number }
  /** Nothing runs here any more; `cut` ran at the deadline. */
  'node:drained': { cut: readonly DrainedService[] }
  /** It takes services again. */
  'node:undrained': Record<string, never>
  /** It begins no new run. */
  'node:paused': Record<string, never>
  /** It begins runs again. */
  'node:resumed': Record<string, never>
  /** The operator has blocked it; `until`, in seconds, where it ends by itself. */
  'node:blocked': { kind: BlockKind; subject: string; until?: number | undefined }
  /** It is not blocked any more; `expired`: its time was over. */
  'node:unblocked': { kind: BlockKind; subject: string; expired: boolean }
  /** The verdict on a known service changed whether it is redirected. */
  'admission:redirect-changed': { id: string; redirect: boolean }
} & FactsEvents

/** What has changed of the node, and no run of it. */
export type FactsEvents = {
  /** There is more than before: an executor came, other programs ended. */
  'facts:capacity-grown': Record<string, never>
  'facts:executor-available': { executor: ExecutorName }
}
