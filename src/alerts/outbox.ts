import { anySignal } from 'any-signal'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { isRetryable, messageOf } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { retry } from '../base/retry.ts'
import type { Rng } from '../base/rng.ts'
import { createWorkQueue, QueueFullError } from '../base/work-queue.ts'
import type { AlertEvents } from './events.ts'
import type { LastDelivery, Notice, SendNotice } from './types.ts'

/** Of one alert. A notice that finds them all taken is dropped, and counted. */
const MAX_WAITING = 32
/** The waits between them add up to 315 s at most; what each attempt takes comes on top. */
const ATTEMPTS = 7
const BACKOFF = { firstMs: 5_000, maxMs: 240_000 }

/** The notices of one alert, one after the other, each until it is delivered or given up. */
export interface Outbox {
  /** `undelivered`: it is given up, or dropped. Not called once the node is stopping. */
  send(notice: Notice, undelivered: () => void): void
  /** Once, beside those that wait. Resolves with the problem. */
  test(notice: Notice, signal: AbortSignal): Promise<string | undefined>
  status(): { waiting: number; last: LastDelivery | undefined; delivered: number; failed: number; dropped: number }
}

export interface OutboxInit {
  readonly clock: Clock
  readonly rng: Rng
  readonly signal: AbortSignal
  readonly send: SendNotice
  emit<Name extends keyof AlertEvents & string>(name: Name, detail: AlertEvents[Name]): void
}

export function createOutbox({ clock, rng, signal, send, emit }: OutboxInit): Outbox {
  const queue = createWorkQueue({ name: 'alerts', concurrency: 1, max: MAX_WAITING })
  let last: LastDelivery | undefined
  const counts = { delivered: 0, failed: 0 }

  async function attempt(notice: Notice, count: { attempts: number }, final: boolean, until: AbortSignal) {
    const { alert, state } = notice
    const attempts = ++count.attempts
    const noted = () => ({ state, attempts, at: nowSeconds(clock) })
    try {
      await send(notice, { signal: until })
      counts.delivered++
      last = { ...noted(), outcome: 'delivered' }
      emit('alert:delivered', { alert, state, attempts })
    } catch (error) {
      const reason = sanitizeText(messageOf(error), 300)
      const again = !final && isRetryable(error) && !signal.aborted
      if (!again) counts.failed++
      last = { ...noted(), outcome: again ? 'waiting' : 'failed', problem: reason }
      if (!signal.aborted) emit('alert:undelivered', { alert, state, reason, attempts, again })
      throw error
    }
  }

  async function deliver(notice: Notice): Promise<void> {
    const count = { attempts: 0 }
    await retry((index) => attempt(notice, count, index + 1 === ATTEMPTS, signal), {
      ...{ clock, rng, signal, backoff: BACKOFF, attempts: ATTEMPTS },
    })
  }

  return {
    send(notice, undelivered) {
      const { alert, state } = notice
      queue
        .add(() => deliver(notice))
        .catch((error: unknown) => {
          // a failed delivery is in `last` already
          if (error instanceof QueueFullError && state !== 'test') emit('alert:dropped', { alert, state })
          if (!signal.aborted) undelivered()
        })
    },
    async test(notice, until) {
      const ended = anySignal([signal, until])
      try {
        await attempt(notice, { attempts: 0 }, true, ended)
        return undefined
      } catch (error) {
        until.throwIfAborted()
        return sanitizeText(messageOf(error), 300)
      } finally {
        ended.clear()
      }
    },
    status: () => ({ waiting: queue.waiting + queue.running, last, ...counts, dropped: queue.dropped }),
  }
}
