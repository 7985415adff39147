import { nowSeconds } from '../base/clock.ts'
import { isRetryable, messageOf, UnavailableError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import { backoffMs } from '../base/retry.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { stands } from './attestation.ts'
import { LEAVE_SECONDS, LOOK_MS, MAX_FAILURES, MAX_REMEMBERED, MAX_WAITING, RETRY_BACKOFF } from './constants.ts'
import { examine, type Outcome } from './scan-code.ts'
import type { Hub, HubComponents, HubInit, HubService } from './types.ts'

/** Services of one code that are tried in turn where the first ones leave it undecided. */
const MAX_OTHERS = 8

/** One code that is examined, waits for it, or for another attempt. */
type Case = { readonly services: HubService[]; failures: number }

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
  const cases = new Map<string, Case>()
  /** codes that are left alone until then (seconds) */
  const left = new LruMap<string, number>(MAX_REMEMBERED)
  /** services from which no word on their code follows */
  const settled = new LruMap<string, true>(MAX_REMEMBERED)
  const closing = new AbortController()
  const { signal } = closing
  const resources = new DisposableStack()
  const counts = { safe: 0, unsafe: 0, failed: 0, passedOver: 0 }
  let looking = false

  /** Whether there was room for it, or no need. */
  function consider(service: HubService): boolean {
    const { id, code } = service
    const now = nowSeconds(clock)
    if (signal.aborted || service.expires <= now || settled.has(id)) return true
    const waiting = cases.get(code)
    if (waiting !== undefined) {
      if (waiting.services.length < MAX_OTHERS && !waiting.services.some((other) => other.id === id)) {
        waiting.services.push(service)
      }
      return true
    }
    if ((left.get(code) ?? 0) > now || stands(known(code), now, init.validSeconds)) return true
    if (queue.waiting >= MAX_WAITING) return false
    const opened: Case = { services: [service], failures: 0 }
    cases.set(code, opened)
    enqueue(code, opened)
    return true
  }

  function enqueue(code: string, opened: Case): void {
    queue
      .add(() => work(code, opened))
      .catch((error: unknown) => {
        cases.delete(code)
        if (!signal.aborted) log.error('a code could not be examined', { code, reason: messageOf(error) })
      })
  }

  async function work(code: string, opened: Case): Promise<void> {
    for (const service of opened.services) {
      if (signal.aborted) break
      if (service.expires <= nowSeconds(clock) || settled.has(service.id)) continue
      const { name } = service
      const who = { code, service: service.id, name: sanitizeText(name, 64) }
      events.emit('hub:examining', who)
      const outcome = await examine(components, init, service, signal)
      if (signal.aborted) break
      if (outcome.is === 'undecided') {
        settled.set(service.id, true)
        counts.passedOver++
        events.emit('hub:passed-over', { ...who, why: outcome.why })
        continue
      }
      if (finish(opened, who, outcome)) return
      break
    }
    cases.delete(code)
  }

  /** True when the case stays open for another attempt. */
  function finish(opened: Case, who: { code: string; service: string; name: string }, outcome: Outcome): boolean {
    if (outcome.is === 'said') {
      const { is: _is, ...told } = outcome
      left.delete(who.code)
      counts[outcome.verdict]++
      events.emit('hub:examined', { ...who, ...told })
      return false
    }
    const leave = () => left.set(who.code, nowSeconds(clock) + LEAVE_SECONDS)
    if (outcome.is !== 'failed') {
      leave()
      counts.passedOver++
      events.emit('hub:passed-over', { ...who, why: outcome.why })
      return false
    }
    counts.failed++
    const failures = ++opened.failures
    const again = failures < MAX_FAILURES
    events.emit('hub:failed', { ...who, reason: outcome.why, failures, again })
    if (!again) {
      leave()
      return false
    }
    clock.after(backoffMs(failures - 1, RETRY_BACKOFF, rng), () => {
      if (!signal.aborted) enqueue(who.code, opened)
    })
    return true
  }

  function look(): void {
    if (looking) return
    looking = true
    try {
      for (const service of services.live()) if (!consider(service)) break
    } catch (error) {
      log.warn('the known services could not be looked at', { reason: messageOf(error), retry: isRetryable(error) })
    } finally {
      looking = false
    }
  }

  return {
    boot() {
      resources.use(services.onNew((service) => void consider(service)))
      resources.use(clock.every(LOOK_MS, look))
      look()
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
