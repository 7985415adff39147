import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import type { WakeCondition } from '../../base/verdict.ts'

/** What survives the node. Every call is durable when it returns, or a part of the transaction around it. */
export interface ParkedServiceStore {
  put(sleeper: ParkedService): void
  remove(id: string): void
  all(): ParkedService[]
}

export interface DormitoryComponents {
  readonly clock: Clock
  readonly log: Log
  readonly store: ParkedServiceStore
  /**
   * Decides again about these, the first with the first claim on room, and calls `park` or `leave` for each that
   * changes. Those for which it does neither sleep on.
   */
  decide(ids: readonly string[], options: { signal: AbortSignal }): Promise<void>
  /** Could anything start now? Where not, what waits for room alone is not asked about. */
  hasCapacity(): boolean
  /** One's time is over, or there are more than MAX: the owner calls `leave` and says so to who must know. */
  onExpired(sleeper: ParkedService, why: string): void
}

export type DormitoryInit = {
  /** DORMITORY of the policy, as it is now */
  readonly limits: () => { readonly max: number; readonly ttlMs: number }
}

export type ParkResult =
  /** `instead`: the lowest-ranked one, which had to leave for it */
  | { readonly parked: true; readonly until: number; readonly replaced?: ParkedService | undefined }
  | { readonly parked: false; readonly why: string }

/**
 * Where accepted services sleep until something they wait for happens.
 *
 *     await using dormitory = createDormitory(components, init)
 *     dormitory.boot()
 *     dormitory.wake({ on: 'quorum', code })
 */
export interface Dormitory extends AsyncDisposable {
  /** Begins to look after those that the last life of the node left asleep. */
  boot(): void
  /**
   * Lays a service to sleep, or again with what it waits for now. `asOf` is what `tick` said before it was decided: what
   * has happened since wakes it at once.
   */
  park(sleeper: Omit<ParkedService, 'since'>, sinceEvent: number): ParkResult
  /** Its wait is over, whatever ended it. False where it did not sleep. */
  remove(id: string): boolean
  /** This has happened: whoever waits for it is decided again, best first. `ids`: only these of them. */
  wake(condition: WakeCondition, ids?: readonly string[]): void
  /** Grows with every `wake`. */
  eventCounter(): number
  get(id: string): ParkedService | undefined
  /** When its time is over, ms. */
  until(sleeper: ParkedService): number
  /** Best first. */
  all(): ParkedService[]
  readonly size: number
  /** Resolves when nobody who was woken waits for a decision. */
  idle(): Promise<void>
}
