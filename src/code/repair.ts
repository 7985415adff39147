import { addAbortListener } from 'node:events'
import { type CID, parseCid } from '../../protocols/encoding.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { messageOf, originalError } from '../base/errors.ts'
import type { Events } from '../base/events.ts'
import { sanitizeText } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import { LruMap } from '../base/lru-map.ts'
import { backoffMs } from '../base/retry.ts'
import type { Rng } from '../base/rng.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { MAX_REPAIRED, MAX_REPAIRS, MAX_STORED_ENTRIES, REPAIR_BACKOFF, REPAIR_MS } from './constants.ts'
import { InUseError } from './errors.ts'
import type { CodeEvents } from './events.ts'
import type { AbortOptions, Code, RetrieveOptions } from './types.ts'

/** How it goes with damaged code that is in use. */
export type RepairView = {
  /** `waiting`: until `nextAt`, or for its turn */
  readonly state: 'fetching' | 'waiting'
  /** why the last attempt failed: one sentence, safe to print */
  readonly problem?: string | undefined
  /** ms since 1970 */
  readonly nextAt?: number | undefined
}

export type CodeRepairComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly events: Pick<Events<CodeEvents>, 'on'>
  readonly code: Pick<Code, 'fetch'> & { readonly store: Pick<Code['store'], 'damage' | 'list' | 'remove' | 'size'> }
}

export type CodeRepairInit = {
  /** Where the code may be found; each attempt may ask elsewhere. */
  readonly findSources: (code: CID, attempt: number, options: AbortOptions) => Promise<RetrieveOptions>
  readonly closing: AbortSignal
}

export interface CodeRepair extends Disposable {
  /** Undefined where the code is not damaged. */
  of(code: string): RepairView | undefined
}

type Repair = { view: RepairView; wake: AbortController }

/**
 * Fetches code again that the disk has lost while it was in use. Attempts are never given up, and wait longer each time.
 * What a code has cost is remembered also where it succeeded: neither a disk that loses it again and again nor a provider
 * that fails late makes the node fetch without end. A source may hold more than the code: the limits are those of a run.
 * Code that is damaged and in use already is fetched first.
 */
export function createCodeRepair(components: CodeRepairComponents, init: CodeRepairInit): CodeRepair {
  const { clock, rng, log, events, code: codes } = components
  const { store } = codes
  const { closing } = init
  const repairs = new Map<string, Repair>()
  const attempts = new LruMap<string, number>(MAX_REPAIRED)
  const turns = createWorkQueue({ name: 'code repair', concurrency: MAX_REPAIRS, max: Number.POSITIVE_INFINITY })

  async function repair(code: CID, it: Repair): Promise<void> {
    const key = code.toString()
    while (store.damage(code) !== undefined) {
      const before = attempts.get(key) ?? 0
      if (before > 0) await wait(it, backoffMs(before - 1, REPAIR_BACKOFF, rng))
      it.view = { state: 'waiting', problem: it.view.problem }
      await turns.add(async () => {
        closing.throwIfAborted()
        attempts.set(key, before + 1)
        if (await letGo(code)) return
        it.view = { state: 'fetching', problem: it.view.problem }
        await fetchAgain(code, before).catch((error: unknown) => {
          closing.throwIfAborted()
          const problem = sanitizeText(messageOf(originalError(error)), 400)
          log.warn('damaged code could not be fetched again', { code: key, problem })
          it.view = { state: 'waiting', problem }
        })
      })
    }
  }

  /** Until it is time, or the code came by another way or left the store. */
  async function wait(it: Repair, ms: number): Promise<void> {
    it.view = { ...it.view, state: 'waiting', nextAt: clock.now() + ms }
    it.wake = new AbortController()
    await sleep(clock, ms, { signal: it.wake.signal }).catch(() => closing.throwIfAborted())
  }

  /** What is no longer in use goes: it is fetched when it is wanted. */
  async function letGo(code: CID): Promise<boolean> {
    if (store.damage(code) === undefined) return true
    try {
      await store.remove(code, { why: 'damaged' })
      return true
    } catch (error) {
      if (error instanceof InUseError) return false
      throw error
    }
  }

  async function fetchAgain(code: CID, attempt: number): Promise<void> {
    const sources = await init.findSources(code, attempt, { signal: closing })
    const { maxBytes = 0, maxEntries = MAX_STORED_ENTRIES } = sources.limits ?? {}
    const limits = { maxBytes: Math.max(maxBytes, store.size(code) ?? 0), maxEntries }
    await codes.fetch(code, { ...sources, limits, signal: closing, attempts: 1, patienceMs: REPAIR_MS })
    if (store.damage(code) === undefined) log.info('damaged code was fetched again', { code: code.toString() })
  }

  function begin(key: string): void {
    if (repairs.has(key) || closing.aborted) return
    const it: Repair = { view: { state: 'waiting' }, wake: new AbortController() }
    repairs.set(key, it)
    repair(parseCid(key), it)
      .catch((error: unknown) => {
        if (!closing.aborted) log.error('damaged code is not fetched again', { code: key, reason: messageOf(error) })
      })
      .finally(() => {
        repairs.delete(key)
        // lost again in this very moment
        if (store.damage(parseCid(key)) !== undefined) begin(key)
      })
  }

  const wake = ({ code }: { code: string }) => repairs.get(code)?.wake.abort()
  const wakeAll = () => {
    for (const it of repairs.values()) it.wake.abort()
  }
  const subscriptions = new DisposableStack()
  subscriptions.use(addAbortListener(closing, wakeAll))
  subscriptions.use(events.on('code:damaged', ({ code }) => begin(code)))
  subscriptions.use(events.on('code:added', wake))
  subscriptions.use(events.on('code:removed', wake))
  for (const { code, damaged } of store.list()) if (damaged !== undefined) begin(code.toString())
  return {
    of: (code) => (store.damage(parseCid(code)) === undefined ? undefined : repairs.get(code)?.view),
    [Symbol.dispose]: () => subscriptions.dispose(),
  }
}
