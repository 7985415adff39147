import { raceSignal } from 'race-signal'
import { type Clock, sleep } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Egress, ServeOptions } from '../egress/index.ts'
import { EGRESS_RETRY_MS } from './constants.ts'
import type { Run } from './types.ts'

export type KeepServedInit = {
  /** the run as it is now: an executor may find it again */
  readonly run: () => Run
  readonly egress: Egress
  readonly options: ServeOptions
  readonly signal: AbortSignal
}

/** What has gone through a run's way out. */
export type EgressUsage = { readonly receivedBytes: number; readonly sentBytes: number }

/** Serves a run's way out until the signal aborts; where what carries it is lost, again. */
export async function keepServed(
  { clock, log }: { clock: Clock; log: Log },
  { run, egress, options, signal }: KeepServedInit,
): Promise<EgressUsage> {
  const { maxBytes = Number.POSITIVE_INFINITY } = options
  let receivedBytes = 0
  let sentBytes = 0
  while (!signal.aborted) {
    try {
      await using served = await run().serveEgress?.(egress, { ...options, maxBytes: maxBytes - receivedBytes, signal })
      await raceSignal(served?.ended ?? Promise.reject(new Error('its executor has no way out')), signal).finally(
        () => {
          receivedBytes += served?.bytes ?? 0
          sentBytes += served?.sentBytes ?? 0
        },
      )
    } catch (error) {
      if (!signal.aborted) log.debug('the way out of a run is not served', { reason: messageOf(error) })
    }
    await sleep(clock, EGRESS_RETRY_MS, { signal }).catch(() => {})
  }
  return { receivedBytes, sentBytes }
}
