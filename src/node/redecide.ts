import type { Reason, Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../runner/index.ts'

/** What this node does with a live service, as far as a policy can change it. */
export type Standing = 'run' | 'parked' | 'redirected' | 'refused'

/** One service whose standing a decision changes, and why. */
export type Change = {
  readonly id: string
  readonly name: string
  readonly author: string
  readonly from: Standing
  readonly to: Standing
  readonly reasons: readonly Reason[]
}

/**
 * Deciding again. Only what is parked or running is asked about: what was refused or passed on stays so, or each saved
 * file would bring up everything that was ever heard. The operator's own SERVICES are bound by LIMITS alone and stay.
 */
export interface Redecide {
  /** What `ask` (a candidate's runner) would make of all that is parked and running now. Nothing is done or journalled. */
  preview(
    ask: (service: ReceivedService, snapshot: RunnerSnapshot) => Promise<Verdict>,
    config: RunnerConfig,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Change[]>
  /** Decides again about everything parked and running with the policy in force, and does it: starts, stops, parks, redirects. */
  all(options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
}
