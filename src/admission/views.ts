import type { ExecutorName, Reason, Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../runner/index.ts'
import type { Assumed } from '../trust/index.ts'

/** What this node does with a live service, as far as a policy can change it. */
export type Disposition = 'run' | 'parked' | 'redirected' | 'refused'

/** One service whose disposition a decision changes, and why. */
export type Change = {
  readonly id: string
  readonly name: string
  readonly author: string
  readonly from: Disposition
  readonly to: Disposition
  readonly reasons: readonly Reason[]
  /** of `reasons`, the rule that decides it: one that stops it now, or that stopped it before and passes now */
  readonly because?: Reason | undefined
  /** it ends, and begins again by this executor */
  readonly moves?: ExecutorName | undefined
  /** it begins when its claim on a replica stands: where nearer nodes have claimed all, it stands by */
  readonly claims?: boolean | undefined
}

/** What a candidate would change, the best of each kind first: what runs, what is parked, and what is refused or redirected. */
export type Preview = {
  readonly changes: readonly Change[]
  /** changes beyond those, none of which starts or parks anything */
  readonly more: number
  /** of what is refused or redirected */
  readonly asked: number
  /** there are too many to ask about while a person waits; they are decided again all the same */
  readonly notAsked: number
  /** live services that the journal had no space for: they come up with their next announcement */
  readonly forgotten: number
}

/** What a policy changed at once, and how many other services are decided again in the background. */
export type Applied = { readonly changes: readonly Change[]; readonly background: number }

/**
 * Deciding again. What runs and what is parked is asked about at once; what was refused or redirected and is still live, in
 * the background (`background-reevaluation.ts`). The operator's own SERVICES are bound by LIMITS alone and stay.
 */
export interface Reevaluation {
  /**
   * What `ask` (a candidate's runner) would make of everything that is live now; with `assumed`, if that statement were in force.
   * Nothing is done or journalled.
   */
  preview(
    ask: (service: ReceivedService, snapshot: RunnerSnapshot) => Promise<Verdict>,
    config: RunnerConfig,
    options?: { signal?: AbortSignal | undefined; assumed?: Assumed | undefined },
  ): Promise<Preview>
  /** Decides again about everything parked and running with the policy in force, and does it: starts, stops, parks, redirects. */
  all(options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
}

/** How often one rule answered what. `warned`: it passed because its mode is "warn". */
export type RuleCounts = {
  readonly pass: number
  readonly fail: number
  readonly defer: number
  readonly warned: number
}

export type PolicyView = {
  /** sha256 of the policy in force */
  readonly hash: string
  readonly counts: Readonly<Record<string, RuleCounts>>
  /** services in the dormitory */
  readonly parked: number
}
