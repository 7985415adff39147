import type { WakeCondition } from './verdict.ts'

/** A service that was accepted and does not run: what it waits for, and its place in the row. Times in ms. */
export type ParkedService = {
  /** base32 CID */
  readonly id: string
  readonly on: readonly WakeCondition[]
  /** what it is worth: more goes first */
  readonly rank: number
  /** when it was parked first: sleeping again after a wake-up does not make it young */
  readonly since: number
  /** when it was received; of two of equal rank, the earlier goes first */
  readonly arrived: number
  /** the service's own end */
  readonly expires: number
}
