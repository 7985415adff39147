import type { KadDHT, QueryEvent } from '@libp2p/kad-dht'
import { anySignal } from 'any-signal'
import { compareBytes, sha256, toBase32 } from '../../../protocols/encoding.ts'
import { type Clock, deadline, type Timer } from '../../base/clock.ts'
import { InputError, messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { RecordValidator } from '../../base/statement-sync.ts'
import { FIND_VALUES_ENOUGH, FIND_VALUES_QUIET_MS, FIND_VALUES_TIMEOUT_MS, PROVIDE_TIMEOUT_MS } from '../constants.ts'
import { NotProvidedError } from '../errors.ts'
import type { Dht } from '../types.ts'
import type { Records } from './records.ts'

export interface ValueRecordsComponents {
  clock: Clock
  log: Log
  dht: KadDHT
  records: Pick<Records, 'check' | 'local'>
  validator: RecordValidator | undefined
  /** Waits a moment for someone to ask. */
  tableFilled(signal: AbortSignal): Promise<void>
}

type Values = Pick<Dht, 'putValue' | 'findValues'> & AsyncDisposable

/** Value records: puts them, and finds those of a key. */
export function createValueRecords({
  clock,
  log,
  dht,
  records,
  validator,
  tableFilled,
}: ValueRecordsComponents): Values {
  const over = new AbortController()
  const repairs = new Set<Promise<void>>()

  const acceptable = async (key: string, value: Uint8Array): Promise<void> => {
    try {
      records.check(key, value)
    } catch (cause) {
      throw new InputError(`the record is refused: ${messageOf(cause)}`, { cause })
    }
    const held = await records.local(key)
    if (held === undefined || compareBytes(held, value) === 0 || validator?.supersedes(value, held)) return
    throw new InputError('the record is refused: a newer one lies under its key')
  }

  /** kad-dht sends stale peers the best value after the lookup; how that ends does not matter. */
  const repairLater = (events: AsyncIterator<unknown>, done: () => void) => {
    const work = (async () => {
      try {
        while ((await events.next()).done !== true);
      } catch (error) {
        log.debug('a stale record was not corrected', { error: messageOf(error) })
      } finally {
        done()
      }
    })()
    repairs.add(work)
    void work.finally(() => repairs.delete(work))
  }

  async function* search(key: string, outer: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const limit = deadline(clock, FIND_VALUES_TIMEOUT_MS, LATE)
    const quiet = createQuietTimer(clock)
    const signal = anySignal([over.signal, outer, limit.signal, quiet.signal])
    const release = () => {
      limit[Symbol.dispose]()
      signal.clear()
    }
    let answered = 0
    let repairing = false
    let events: AsyncIterator<QueryEvent> | undefined
    try {
      await tableFilled(signal)
      events = dht.get(new TextEncoder().encode(key), { signal })[Symbol.asyncIterator]()
      for (;;) {
        const { done, value: event } = await events.next()
        if (done === true) break
        // all have been asked: from here on it is about those whose record is old
        if ('path' in event && event.path.index === -1) {
          repairing = true
          break
        }
        quiet.stop()
        if (event.name === 'PEER_RESPONSE') {
          answered++
          if (event.record !== undefined) yield event.record.value
        }
        if (answered >= FIND_VALUES_ENOUGH) quiet.start()
      }
    } catch (error) {
      if (outer?.aborted) throw outer.reason
      log.debug('a lookup of values ended early', { key, answered, error: messageOf(error) })
    } finally {
      quiet.stop()
      if (repairing && events !== undefined) repairLater(events, release)
      else {
        await events?.return?.()
        release()
      }
    }
    if (answered === 0) throw new UnavailableError('no peer could be asked for the record, or gave a valid answer')
  }

  return {
    async putValue(key, value, { signal } = {}) {
      if (validator === undefined) throw new NotProvidedError('this node has no rules for value records')
      await acceptable(key, value)
      const took = new Set<string>()
      using limit = deadline(clock, PROVIDE_TIMEOUT_MS, LATE, signal)
      try {
        await tableFilled(limit.signal)
        for await (const event of dht.put(new TextEncoder().encode(key), value, { signal: limit.signal })) {
          if (event.name !== 'PEER_RESPONSE' || event.messageName !== 'PUT_VALUE') continue
          // a peer that kept it says it back; one that refused it ends the stream
          if (event.record !== undefined && compareBytes(event.record.value, value) === 0)
            took.add(event.from.toString())
        }
      } catch (cause) {
        signal?.throwIfAborted()
        if (took.size === 0) throw new NotProvidedError(`no peer took the record: ${messageOf(cause)}`, { cause })
      }
      if (took.size === 0) throw new NotProvidedError('no peer took the record')
      return took.size
    },
    async *findValues(key, { signal } = {}) {
      if (validator === undefined) return
      const known = new Set<string>()
      const isNew = (value: Uint8Array) => {
        const name = toBase32(sha256(value))
        if (known.has(name)) return false
        known.add(name)
        return passes(key, value)
      }
      const held = await records.local(key)
      if (held !== undefined && isNew(held)) yield held
      for await (const value of search(key, signal)) if (isNew(value)) yield value
    },
    async [Symbol.asyncDispose]() {
      over.abort(new Error('the node is stopping'))
      await Promise.all(repairs)
    },
  }

  function passes(key: string, value: Uint8Array): boolean {
    try {
      records.check(key, value)
      return true
    } catch (error) {
      log.debug('a record that was found is not valid', { key, error: messageOf(error) })
      return false
    }
  }
}

const LATE = new TimeoutError('the lookup took too long')

/** Aborts when no answer came for a while after the last one. */
function createQuietTimer(clock: Clock) {
  const controller = new AbortController()
  let timer: Timer | undefined
  return {
    signal: controller.signal,
    start() {
      timer?.cancel()
      timer = clock.after(FIND_VALUES_QUIET_MS, () => controller.abort(new TimeoutError('the others did not answer')))
    },
    stop: () => timer?.cancel(),
  }
}
