import { raceSignal } from 'race-signal'
import { toBase32 } from '../../protocols/encoding.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { attestationSubject } from '../../protocols/statement.ts'
import { type Clock, deadline, nowSeconds } from '../base/clock.ts'
import { messageOf, TimeoutError, UnavailableError } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import { keyOf, LruMap } from '../base/lru-map.ts'
import {
  LOOKUP_AGAIN_MS,
  LOOKUP_MS,
  LOOKUP_RETRY_MS,
  LOOKUPS_AT_ONCE,
  MAX_LOOKUP_KEYS,
  REMEMBERED_DIGESTS,
} from './constants.ts'
import type { TrustEvents } from './events.ts'
import type { ParsedTrustPolicy } from './policy.ts'
import type { TextOf } from './statements/address-cache.ts'
import type { Ingest } from './statements/ingest.ts'
import { pathTo } from './tree/tree.ts'
import type { TreeCache } from './tree/tree-cache.ts'
import type { TrustRecords, TrustSubject } from './types.ts'

export type LookupSubject = Partial<Omit<TrustSubject, 'staples'>>

export interface LookupComponents {
  clock: Clock
  log: Log
  events: Emitter<TrustEvents>
  records: TrustRecords
  treeCache: TreeCache
  ingest: Pick<Ingest, 'take'>
  textOf: TextOf
}

/** Asks the mesh's records. Whatever fails stops nothing. */
export interface Lookups extends AsyncDisposable {
  /** Resolves when all that came is taken in; rejects with the signal's reason alone. */
  lookUp(
    asked: LookupSubject,
    options?: { signal?: AbortSignal | undefined; fresh?: boolean | undefined },
  ): Promise<{ complete: boolean }>
}

export function createLookups(components: LookupComponents, init: { policy(): ParsedTrustPolicy }): Lookups {
  const { clock, log, events, records, treeCache, ingest, textOf } = components
  /** When a record may be asked for again, by the monotonic clock. */
  const next = new LruMap<string, number>(REMEMBERED_DIGESTS)
  /** Records that could not be asked for. */
  const unavailable = new LruMap<string, true>(REMEMBERED_DIGESTS)
  const running = new Map<string, Promise<void>>()
  const closing = new AbortController()

  function keysOf({ code, author }: LookupSubject): string[] {
    const policy = init.policy()
    const keys: string[] = []
    if (author !== undefined) keys.push(...treeKeys(policy, author))
    if (code !== undefined) {
      const heaviest = [...policy.hubs.values()].sort((a, b) => b.weight - a.weight)
      keys.unshift(...heaviest.map(({ bytes }) => `/${attestationSubject(code, bytes)}`).slice(0, MAX_LOOKUP_KEYS))
    }
    return keys
  }

  /** The links of the author's chain, else those by which an address of the tree could vouch for the author. */
  function treeKeys(policy: ParsedTrustPolicy, author: Uint8Array): string[] {
    const tree = treeCache.of(policy, nowSeconds(clock))
    const subject = toBase32(author)
    const path = pathTo(tree, keyOf(author))
    if (path.length > 0) {
      return path.map(({ issuer, subjectBytes }) => `/trust/${toBase32(bytesOf(issuer))}/${toBase32(subjectBytes)}`)
    }
    if (policy.roots.has(keyOf(author))) return []
    return [...tree.members]
      .filter(([, { depth }]) => depth > 0)
      .sort(([, a], [, b]) => b.depth - a.depth)
      .slice(0, MAX_LOOKUP_KEYS)
      .map(([issuer]) => `/trust/${toBase32(bytesOf(issuer))}/${subject}`)
  }

  /** How many came; undefined where it could not be asked for. */
  async function ask(key: string, signal: AbortSignal): Promise<number | undefined> {
    let found = 0
    try {
      for await (const value of records.find(key, { signal })) {
        if (takes(value)) found++
      }
      // a lookup that was cut off ends like one that is over
      if (signal.aborted) throw signal.reason
      next.set(key, clock.monotonic() + LOOKUP_AGAIN_MS)
      unavailable.delete(key)
      return found
    } catch (error) {
      next.set(key, clock.monotonic() + LOOKUP_RETRY_MS)
      log.debug('a record could not be looked up', { key, reason: messageOf(error) })
      return undefined
    }
  }

  function takes(value: Uint8Array): boolean {
    try {
      ingest.take(value, { via: 'record' })
      return true
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
  }

  /** Those that were not asked for just now. */
  function due(asked: LookupSubject): string[] {
    return keysOf(asked).filter((key) => (next.get(key) ?? 0) <= clock.monotonic())
  }

  async function run(asked: LookupSubject, keys: readonly string[]): Promise<void> {
    const began = clock.monotonic()
    const reason = new TimeoutError('the records were not found in time')
    using limit = deadline(clock, LOOKUP_MS, reason, closing.signal)
    const waiting = [...keys]
    let found = 0
    let failed = 0
    const worker = async () => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
        // a source that does not heed the signal is not waited for
        const count = limit.signal.aborted
          ? undefined
          : await raceSignal(ask(key, limit.signal), limit.signal).catch(() => undefined)
        if (count !== undefined) found += count
        else {
          failed++
          unavailable.set(key, true)
        }
      }
    }
    const all = () => Promise.all(Array.from({ length: Math.min(LOOKUPS_AT_ONCE, waiting.length) }, worker))
    await all()
    // a link that came may be what another hangs on
    if (found > 0) waiting.push(...due(asked))
    await all()
    if (closing.signal.aborted) return
    const about = asked.code?.toString() ?? (asked.author === undefined ? '' : textOf(asked.author))
    events.emit('trust:looked-up', { about, found, failed, tookMs: Math.round(clock.monotonic() - began) })
  }

  function lookUpOnce(asked: LookupSubject, fresh: boolean): Promise<void> {
    const name = `${asked.code?.toString() ?? ''}/${asked.author === undefined ? '' : keyOf(asked.author)}`
    // a lookup under way is shared by later callers
    const under = running.get(name)
    if (under !== undefined) return under
    const keys = fresh ? keysOf(asked) : due(asked)
    if (keys.length === 0) return Promise.resolve()
    const work = run(asked, keys).finally(() => running.delete(name))
    running.set(name, work)
    return work
  }

  return {
    async lookUp(asked, { signal, fresh = false } = {}) {
      signal?.throwIfAborted()
      closing.signal.throwIfAborted()
      await raceSignal(lookUpOnce(asked, fresh), signal)
      return { complete: !keysOf(asked).some((key) => unavailable.has(key)) }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new UnavailableError('the node is stopping'))
      await Promise.allSettled(running.values())
    },
  }
}

/** The bytes that `keyOf` made a key of. */
function bytesOf(key: string): Uint8Array {
  return Buffer.from(key, 'latin1')
}
