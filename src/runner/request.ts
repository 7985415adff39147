import type { ReceivedService, RunnerSnapshot } from './contract.ts'

/** One decision that a caller waits for, in any state: waiting, under way, or sent again to the next process. */
export type Request = {
  readonly id: number
  readonly service: ReceivedService
  readonly snapshot: RunnerSnapshot
  readonly resolve: (verdict: unknown) => void
  readonly reject: (error: unknown) => void
  /** since when it waits for a process (monotonic) */
  waitsSince: number
  /** it was under way when a process ended, and is asked once more with nothing beside it */
  isolated: boolean
  /** the process works on others meanwhile */
  slow: boolean
  settled: boolean
}

/** Answers a request once; later answers are dropped. */
export function settle(request: Request, act: (request: Request) => void): void {
  if (request.settled) return
  request.settled = true
  act(request)
}

/**
 * Requests that may have ended a process: the module is asked in order, so the first request without an answer, and those that
 * were set aside because they waited for something.
 */
export function possibleCauses(underWay: Iterable<Request>): Set<Request> {
  const causes = new Set<Request>()
  let first: Request | undefined
  for (const request of underWay) {
    if (!request.slow) first ??= request
    if (request.slow || request === first) causes.add(request)
  }
  return causes
}
