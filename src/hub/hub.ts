import { nowSeconds } from '../base/clock.ts'
import { isRetryable, messageOf, UnavailableError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import { backoffMs } from '../base/retry.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { isFresh } from './attestation.ts'
import { MAX_FAILURES, MAX_REMEMBERED, MAX_WAITING, POLL_MS, RETRY_BACKOFF, SKIP_SECONDS } from './constants.ts'
import { type ScanOutcome, scanCode } from './scan-code.ts'
import type { Hub, HubComponents, HubInit, HubService } from './types.ts'

/** Services of one code that are tried in turn where the first ones leave it undecided. */
const MAX_OTHERS = 8

/** One code that is examined, waits for it, or for another attempt. */
type PendingCode = { readonly services: HubService[]; failures: number }

/**
 * A security centre that works by itself.
 *
 * ```ts
 * await using hub = createHub(components, { network, signer, scanners, validSeconds: 30 * 86_400, concurrency: 1 })
 * hub.boot()
 * ```
 */
export function createHub(components: HubComponents, init: HubInit): Hub {
  const { clock, rng, log, events, services, known } = components
  const queue = createWorkQueue({ name: 'hub', concurrency: init.concurrency, max: MAX_WAITING })
  const pending = new Map<string, PendingCode>()
  /** codes that are left alone until then (seconds) */
  const skippedUntil = new LruMap<string, number>(MAX_REMEMBERED)
  /** services whose description left their code undecided */
  const processed = new LruMap<string, true>(MAX_REMEMBERED)
  const closing = new AbortController()
  const { signal } = closing
  const resources = new DisposableStack()
  const counts = { safe: 0, unsafe: 0, failed: 0, skipped: 0 }
  let polling = false

  /** Whether it was queued, or needed no scan. */
  function consider(service: HubService): boolean {
    const { id, code } = service
    const now = nowSeconds(clock)
    if (signal.aborted || service.expires <= now || processed.has(id)) return true
    const waiting = pending.get(code)
    if (waiting !== undefined) {
      if (waiting.services.length < MAX_OTHERS && !waiting.services.some((other) => other.id === id)) {
        waiting.services.push(service)
      }
      return true
    }
    if ((skippedUntil.get(code) ?? 0) > now || isFresh(known(code), now, init.validSeconds)) return true
    if (queue.waiting >= MAX_WAITING) return false
    const opened: PendingCode = { services: [service], failures: 0 }
    pending.set(code, opened)
    enqueue(code, opened)
    return true
  }

  function enqueue(code: string, opened: PendingCode): void {
    queue
      .add(() => work(code, opened))
      .catch((error: unknown) => {
        pending.delete(code)
        if (!signal.aborted) log.error('a code could not be examined', { code, reason: messageOf(error) })
      })
  }

  async function work(code: string, opened: PendingCode): Promise<void> {
    for (const service of opened.services) {
      if (signal.aborted) break
      if (service.expires <= nowSeconds(clock) || processed.has(service.id)) continue
      const { name } = service
      const who = { code, service: service.id, name: sanitizeText(name, 64) }
      events.emit('hub:examining', who)
      const outcome = await scanCode(components, init, service, signal)
      if (signal.aborted) break
      if (outcome.is === 'undecided') {
        processed.set(service.id, true)
        counts.skipped++
        events.emit('hub:passed-over', { ...who, why: outcome.why })
        continue
      }
      if (finish(opened, who, outcome)) return
      break
    }
    pending.delete(code)
  }

  /** True when the case stays open for another attempt. */
  function finish(
    opened: PendingCode,
    who: { code: string; service: string; name: string },
    outcome: ScanOutcome,
  ): boolean {
    if (outcome.is === 'attested') {
      const { is: _is, ...reported } = outcome
      skippedUntil.delete(who.code)
      counts[outcome.verdict]++
      events.emit('hub:examined', { ...who, ...reported })
      return false
    }
    const skip = () => skippedUntil.set(who.code, nowSeconds(clock) + SKIP_SECONDS)
    if (outcome.is !== 'failed') {
      skip()
      counts.skipped++
      events.emit('hub:passed-over', { ...who, why: outcome.why })
      return false
    }
    counts.failed++
    const failures = ++opened.failures
    const again = failures < MAX_FAILURES
    events.emit('hub:failed', { ...who, reason: outcome.why, failures, again })
    if (!again) {
      skip()
      return false
    }
    clock.after(backoffMs(failures - 1, RETRY_BACKOFF, rng), () => {
      if (!signal.aborted) enqueue(who.code, opened)
    })
    return true
  }

  function poll(): void {
    if (polling) return
    polling = true
    try {
      for (const service of services.live()) if (!consider(service)) break
    } catch (error) {
      log.warn('the known services could not be read', { reason: messageOf(error), retry: isRetryable(error) })
    } finally {
      polling = false
    }
  }

  return {
    boot() {
      resources.use(services.onNew((service) => void consider(service)))
      resources.use(clock.every(POLL_MS, poll))
      poll()
    },
    counts: () => ({ ...counts, waiting: queue.waiting + queue.running }),
    idle: () => queue.idle(),
    async [Symbol.asyncDispose]() {
      resources.dispose()
      closing.abort(new UnavailableError('the hub has stopped'))
      await queue.idle()
    },
  }
}
