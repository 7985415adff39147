import type { Claim } from '../../protocols/claims.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { Grant } from '../base/verdict.ts'
import type { Leaving } from './claim-reasons.ts'
import type { OwnClaims } from './own-claims.ts'

/**
 * What this node has to do with a service that wants replicas. claiming: it asks whether its run is wanted. starting: its
 * run is under way and not healthy. running: it is healthy. standing-by: it would run it if a replica were missing.
 * bound: its run is placed by nobody, and it asks who else runs it for its sake.
 */
export type Part = 'claiming' | 'starting' | 'running' | 'standing-by' | 'bound'

/** Another node that claims a run: it has begun, or is about to. */
export type Claimant = { readonly peer: string; readonly state: 'running' | 'accepted' }

/** The other nodes, as far as they can be asked. */
export interface ClaimMesh {
  /** Peers that are connected now. */
  neighbours(): readonly string[]
  /** Peers that are said to run the service. */
  providers(service: string, options: { signal: AbortSignal }): AsyncIterable<string>
  /** The claim in what the peer answers now; undefined where it has none. Rejects where it does not answer. */
  ask(peer: string, service: string, options: { signal: AbortSignal }): Promise<Claim | undefined>
  /** Has it sent invalid data? Then its claims do not count. */
  misbehaves(peer: string): boolean
  /** Has a run of the service here a tunnel to them? Then they stay its siblings while their claims count. */
  inUse(service: string): ReadonlySet<string>
}

/** What this node does, and what a decision makes it do. */
export interface PlacedServices {
  /** Runs that are under way and not about to end, and stand-bys. Those that are bound to this node only where they reach their siblings. */
  parts(): Iterable<readonly [service: string, part: Exclude<Part, 'claiming'>]>
  /** How many runs it wants; undefined where it is over. */
  replicas(service: string): number | undefined
  /** Why another node is to take over its run; undefined where none is. */
  leaving(service: string): Leaving | undefined
  /** Its claim stands. */
  onWon(service: string): void
  /** Enough others go before its claim, or its run. */
  onLost(service: string, why: string): void
  /** A stand-by finds that a replica is missing. */
  onVacant(service: string): void
  /** A stand-by finds that as many as it wants are healthy elsewhere. */
  onServed(service: string, why: string): void
}

export interface PlacementComponents {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly mesh: ClaimMesh
  readonly claims: OwnClaims
  readonly services: PlacedServices
}

export type PlacementInit = {
  /** this node's peer id */
  readonly self: string
  /** Does it know nodes that it is to connect to? Until the first is there, it does not believe itself alone. */
  expectsPeers(): boolean
}

/**
 * Places replicas without a scheduler: asks other nodes which of them run a service, and decides what this node does.
 *
 *     await using placement = createPlacement(components, init)
 *     placement.claim(id, grant)   // then `services.onWon` or `services.onLost`
 */
export interface Placement extends AsyncDisposable {
  /** Claims a run, with what it will hold. `now`: without the wait, for the update of what runs here. */
  claim(service: string, grant: Grant, options?: { now?: boolean }): void
  /** Resolves when a round has found that a run of this node is wanted; rejects with the signal's reason. */
  untilWanted(service: string, options: { signal: AbortSignal }): Promise<void>
  /** There is nobody to ask. */
  isAlone(): boolean
  /** What the claims of other nodes come to, as one sentence; undefined before the first round about it. */
  text(service: string): string | undefined
  /**
   * The nodes whose claim on a run of this service counts, as they answered a moment ago; the nearest first. Of too many, those in use, those
   * that have claimed for longest, and the nearest.
   */
  claimants(service: string): readonly Claimant[]
  /** A peer has asked what this node does with the service: it may have a claim itself. */
  onAsked(service: string, peer: string): void
  onPeerConnected(peer: string): void
  onPeerDisconnected(peer: string): void
}
