import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import type { Events } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { WakeCondition } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import type { Dormitory, ExecutionEvents, Supervisor } from '../execution/index.ts'
import type { IntakeEvents } from '../intake/index.ts'
import type { Journal } from '../journal/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import type { Claimant, ClaimMesh, OwnClaims } from '../placement/index.ts'
import type { RunnerEvents } from '../runner/index.ts'
import type { Receipts } from '../services/receipts.ts'
import type { Services } from '../services/registry.ts'
import type { StateNotifier } from '../services/state-notifier.ts'
import type { Trust, TrustEvents } from '../trust/index.ts'
import type { ServiceDecider } from './decide-service.ts'
import type { DrainState } from './drain/drain-state.ts'
import type { Drain } from './drain/types.ts'
import type { EvaluatorComponents } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { NodeFactsSource } from './facts/node-facts.ts'
import type { BlockList } from './operator/block-list.ts'
import type { Blocks } from './operator/blocks.ts'
import type { Pause, PauseState } from './operator/pause.ts'
import type { Applied, PolicyView, Reevaluation } from './views.ts'
import type { TrustWatcher } from './watchers/trust-watcher.ts'

export interface AdmissionComponents {
  clock: Clock
  log: Log
  events: Pick<
    Events<AdmissionEvents & RunnerEvents & ExecutionEvents & IntakeEvents & TrustEvents & NetworkEvents>,
    'emit' | 'on'
  >
  journal: Journal
  facts: NodeFactsSource
  runner: EvaluatorComponents['runner']
  supervisor: Pick<Supervisor, 'run' | 'stop' | 'granted' | 'free' | 'healthy' | 'failures'>
  receipts: Receipts
  services: Services
  trust: Pick<Trust, 'factsOf' | 'lookUp'>
  /** Fetches the code of a service that may start soon. */
  prefetch(id: string, options: { signal: AbortSignal }): Promise<void>
  texts: AddressTexts
  notify: StateNotifier['notify']
  rng: Rng
  /** The other nodes, as far as they can be asked for their claims. */
  claimMesh: ClaimMesh
  /** This node's claims that are no runs yet. */
  claims: OwnClaims
  drain: DrainState
  pause: PauseState
  blocks: BlockList
  /** Ends the connections of a peer. */
  disconnect(peer: string): void
}

export type AdmissionInit = {
  policy(): Policy
  /** this node's peer id */
  readonly self: string
  /** Does it know nodes that it is to connect to? */
  expectsPeers(): boolean
  readonly closing: AbortSignal
}

/** Everything between an announcement and what this node does with it, now and again later. */
export interface Admission extends AsyncDisposable {
  readonly decide: ServiceDecider
  readonly drain: Pick<Drain, 'begin' | 'end' | 'view'>
  readonly pause: Pause
  readonly blocks: Pick<Blocks, 'add' | 'remove' | 'list'>
  readonly reevaluation: Reevaluation
  readonly dormitory: Dormitory
  /** Before a run begins again that ended with the machine: others may have taken over. */
  mayBegin(service: string, options: { signal: AbortSignal }): Promise<void>
  /** What the claims of other nodes on a service come to, or what its run waits for where it is drained, as one sentence. */
  placementText(service: string): string | undefined
  /** The nodes that claim a run of a service now; the nearest first. */
  claimants(service: string): readonly Claimant[]
  /** A peer has asked what this node does with a service. */
  onAsked(service: string, peer: string): void
  readonly trustWatcher: Pick<TrustWatcher, 'recheck' | 'servicesInUse'>
  /** Decides again about everything, and remembers by which policy. A failure is logged: the policy is in force. */
  reevaluateAll(): Promise<Applied>
  /** Resolves when the re-evaluation in the background is done. */
  backgroundIdle(): Promise<void>
  /** Takes up what was parked when the node ended; all is decided again where the policy changed since. */
  boot(): Promise<void>
  /** Since when it is parked, if it is; ms. */
  parkedState(id: string): { since: number; until: number; on: readonly WakeCondition[] } | undefined
  /** The operator has ended it here. */
  removeParked(id: string): void
  view(): PolicyView
}
