import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import type { WakeCondition } from '../../base/verdict.ts'

/** What survives the node. Every call is durable when it returns, or a part of the transaction around it. */
export interface ParkedServiceStore {
  put(service: ParkedService): void
  remove(id: string): void
  all(): ParkedService[]
}

export interface DormitoryComponents {
  readonly clock: Clock
  readonly log: Log
  readonly store: ParkedServiceStore
  /**
   * Decides again about these, the first with the first claim on capacity, and calls `park` or `remove` for each
   * that changes. The others stay parked.
   */
  decide(ids: readonly string[], options: { signal: AbortSignal }): Promise<void>
  /** Could anything start now? Where not, services that wait for capacity alone are not decided again. */
  hasCapacity(): boolean
  /** The time of one is over, or there are more than MAX: the owner calls `remove` and reports it. */
  onExpired(service: ParkedService, why: string): void
}

export type DormitoryInit = {
  /** DORMITORY of the policy, as it is now */
  readonly limits: () => { readonly max: number; readonly ttlMs: number }
}

export type ParkResult =
  /** `replaced`: the lowest-ranked one, which had to leave for it */
  | { readonly parked: true; readonly until: number; readonly replaced?: ParkedService | undefined }
  | { readonly parked: false; readonly why: string }

/** What decides about a place: as it is, or as it would be. `now`: ms. */
export type DormitoryState = {
  readonly now: number
  /** DORMITORY.MAX */
  readonly max: number
  readonly parked: ReadonlyMap<string, ParkedService>
}

/**
 * Where accepted services are parked until something that they wait for happens.
 *
 *     await using dormitory = createDormitory(components, init)
 *     dormitory.boot()
 *     dormitory.wake({ on: 'quorum', code })
 */
export interface Dormitory extends AsyncDisposable {
  /** Takes up those that were parked when the node ended. */
  boot(): void
  /**
   * Parks a service, or changes what it waits for. `sinceEvent` is what `eventCounter` returned before it was decided: what
   * has happened since wakes it at once. `place`: what `placeFor` returned just before.
   */
  park(service: Omit<ParkedService, 'since'>, sinceEvent: number, place?: ParkResult): ParkResult
  state(): DormitoryState
  /** Its wait is over, whatever ended it. False where it was not parked. */
  remove(id: string): boolean
  /** This has happened: the services that wait for it are decided again, best first. `ids`: only these of them. */
  wake(condition: WakeCondition, ids?: readonly string[]): void
  /** Grows with every `wake`. */
  eventCounter(): number
  get(id: string): ParkedService | undefined
  /** When its time is over, ms; `ttlMs`: with another DORMITORY.TTL_SECONDS than the one in force. */
  until(service: Pick<ParkedService, 'id' | 'since' | 'expires'>, ttlMs?: number): number
  /** Best first. */
  all(): ParkedService[]
  readonly size: number
  /** Resolves when no service that was woken waits for a decision. */
  idle(): Promise<void>
}
