import { addAbortListener } from 'node:events'
import type { CID } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { PROGRESS_MS } from '../constants.ts'
import { DiskFullError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import type { AbortOptions, CodeStore } from '../types.ts'
import { createDownload, type Target } from './download.ts'
import { createDownloadSession, type DownloadSessionInit } from './provider-pool.ts'

export type FetchComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'has' | 'resume' | 'begin'>
  readonly streams: StreamOpener
  readonly buffers: BufferPool
  readonly onInvalidData?: ((peer: string) => void) | undefined
}

export type FetchOptions = AbortOptions &
  Omit<DownloadSessionInit, 'code'> & {
    /** More is not fetched. */
    readonly maxBytes?: number | undefined
    readonly onProgress?: ((progress: { bytes: number; size: number }) => void) | undefined
  }

/**
 * Fetches a code from several peers at once into the store, resuming an earlier fetch. Throws
 * NoProviderError if no provider of the missing chunks is left; chunks received so far are kept.
 */
export async function fetchCode(components: FetchComponents, code: CID, options: FetchOptions): Promise<void> {
  const { clock, rng, log, events, store, streams, buffers } = components
  if (store.has(code)) return
  const key = code.toString()
  const startedAt = clock.monotonic()
  let reportedAt = Number.NEGATIVE_INFINITY

  await using download = createDownload(
    { clock, rng, store },
    { code, maxBytes: options.maxBytes, onChunkStored: reportProgress },
  )
  const session = createDownloadSession(
    { clock, rng, log, streams, buffers, download, onInvalidData },
    { ...options, code },
  )
  const stop = () => download.fail(options.signal?.reason)
  options.signal?.throwIfAborted()
  using _stop = options.signal && addAbortListener(options.signal, stop)
  events.emit('code:fetch-started', { code: key })
  try {
    await download.resume(options)
    await Promise.race([download.complete, session.run().then(() => download.complete)])
    await closeSession()
    await download.target?.partial.commit({ startedAt })
    const size = download.target?.partial.manifest.size ?? 0
    events.emit('code:fetch-finished', { code: key, size, ms: clock.monotonic() - startedAt, from: 'mesh' })
  } catch (error) {
    await closeSession()
    // on a full disk the space matters more than the next attempt's head start
    if (error instanceof DiskFullError) await download.target?.partial.discard()
    throw error
  }

  async function closeSession(): Promise<void> {
    await session.close()
    await download.onIdle()
  }

  function reportProgress({ partial, picker }: Target): void {
    const progress = { bytes: partial.bytes, size: partial.manifest.size }
    options.onProgress?.(progress)
    if (!picker.done && clock.monotonic() - reportedAt < PROGRESS_MS) return
    reportedAt = clock.monotonic()
    events.emit('code:fetch-progress', { code: key, ...progress, providers: session.size })
  }

  function onInvalidData(peer: string, problem: string): void {
    events.emit('code:provider-invalid', { code: key, peer, problem })
    components.onInvalidData?.(peer)
  }
}
