import type { KadDHT } from '@libp2p/kad-dht'
import type { CID } from '../../../protocols/encoding.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { FIND_TIMEOUT_MS, PROVIDE_RETRY_MS, PROVIDE_TIMEOUT_MS } from '../constants.ts'
import { NotProvidedError } from '../errors.ts'
import type { Dht } from '../types.ts'

export interface ProviderRecordsComponents {
  clock: Clock
  log: Log
  dht: KadDHT
  peerId: string
  connected(): boolean
  /** Waits a moment for someone to ask. */
  tableFilled(signal: AbortSignal): Promise<void>
}

type Providers = Pick<Dht, 'provide' | 'cancel' | 'findProviders'> & AsyncDisposable

/**
 * Provider records. kad-dht provides again by itself what it once provided; a record that no peer took (no neighbour yet,
 * all lookups failed) is tried again here.
 */
export function createProviderRecords(components: ProviderRecordsComponents): Providers {
  const { clock, log, dht, peerId, connected, tableFilled } = components
  /** what is provided -> how many peers took the record the last time */
  const wanted = new Map<string, { readonly cid: CID; holders: number }>()
  const over = new AbortController()
  let retrying = false

  const attempt = async (cid: CID, signal: AbortSignal): Promise<number> => {
    await tableFilled(signal)
    let holders = 0
    for await (const event of dht.provide(cid, { signal })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') holders++
    }
    return holders
  }
  const retry = async () => {
    if (retrying || !connected()) return
    retrying = true
    try {
      for (const [key, { cid, holders }] of wanted) {
        if (holders > 0 || over.signal.aborted) continue
        using limit = deadline(clock, PROVIDE_TIMEOUT_MS, new TimeoutError('providing took too long'), over.signal)
        const taken = await attempt(cid, limit.signal).catch(() => 0)
        const entry = wanted.get(key)
        if (entry !== undefined) entry.holders = taken
        // cancelled meanwhile: kad-dht would go on providing it
        else await dht.cancelReprovide(cid)
      }
    } catch (error) {
      log.debug('providing again failed', { error: messageOf(error) })
    } finally {
      retrying = false
    }
  }
  const timer = clock.every(PROVIDE_RETRY_MS, () => void retry())

  return {
    async provide(cid, { signal } = {}) {
      const entry = wanted.get(cid.toString()) ?? { cid, holders: 0 }
      wanted.set(cid.toString(), entry)
      using limit = deadline(clock, PROVIDE_TIMEOUT_MS, new TimeoutError('providing took too long'), signal)
      try {
        entry.holders = await attempt(cid, limit.signal)
      } catch (error) {
        signal?.throwIfAborted()
        throw new NotProvidedError(`no peer took the provider record yet: ${messageOf(error)}`, { cause: error })
      } finally {
        if (!wanted.has(cid.toString())) await dht.cancelReprovide(cid).catch(() => {})
      }
      if (entry.holders === 0) throw new NotProvidedError('no peer took the provider record yet')
      return entry.holders
    },
    async cancel(cid) {
      wanted.delete(cid.toString())
      await dht.cancelReprovide(cid)
    },
    async *findProviders(cid, { signal } = {}) {
      using limit = deadline(clock, FIND_TIMEOUT_MS, new TimeoutError('the lookup took too long'), signal)
      const known = new Set([peerId])
      try {
        await tableFilled(limit.signal)
        for await (const event of dht.findProviders(cid, { signal: limit.signal })) {
          if (event.name !== 'PROVIDER') continue
          for (const { id } of event.providers) {
            const peer = id.toString()
            if (known.has(peer)) continue
            known.add(peer)
            yield peer
          }
        }
      } catch (error) {
        // a lookup that found nothing, or met a peer it cannot use, has simply ended
        if (signal?.aborted) throw signal.reason
        log.debug('a lookup of providers ended early', { cid: cid.toString(), error: messageOf(error) })
      }
    },
    async [Symbol.asyncDispose]() {
      timer.cancel()
      over.abort(new Error('the node is stopping'))
    },
  }
}
