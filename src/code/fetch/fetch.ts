import { addAbortListener } from 'node:events'
import { type CID, isImageCid } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { threadedZstd, type Zstd } from '../archive/zstd.ts'
import { PROGRESS_MS } from '../constants.ts'
import { DiskFullError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import type { AbortOptions, CodeStore } from '../types.ts'
import { archiveTransfer } from './archive-transfer.ts'
import { createDownload } from './download.ts'
import { imageTransfer } from './image-transfer.ts'
import { createProviderPool, type ProviderPoolInit } from './provider-pool.ts'
import type { PartialTransfer, Picker, Target, Transfer } from './transfer.ts'

export type FetchComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'has' | 'resume' | 'begin' | 'images'>
  readonly streams: StreamOpener
  readonly buffers: BufferPool
  /** default: beside the main thread */
  readonly zstd?: Pick<Zstd, 'decompress'> | undefined
  readonly onInvalidData?: ((peer: string) => void) | undefined
}

export type FetchOptions = AbortOptions &
  Pick<ProviderPoolInit, 'providers' | 'self'> & {
    /** More is not fetched. */
    readonly maxBytes?: number | undefined
    readonly onProgress?: ((progress: { bytes: number; size: number }) => void) | undefined
  }

/**
 * Fetches a code, an archive or an image, from several peers at once into the store, resuming an earlier fetch. Throws
 * NoProviderError if no provider of what is missing is left; what was received so far is kept.
 */
export async function fetchCode(components: FetchComponents, code: CID, options: FetchOptions): Promise<void> {
  if (components.store.has(code)) return
  if (isImageCid(code)) await run(components, { code, transfer: imageTransfer(components, code) }, options)
  else {
    const { zstd = threadedZstd() } = components
    await run(components, { code, transfer: archiveTransfer({ ...components, zstd }, code) }, options)
  }
}

async function run<P extends PartialTransfer, K extends Picker>(
  components: FetchComponents,
  { code, transfer }: { code: CID; transfer: Transfer<P, K> },
  options: FetchOptions,
): Promise<void> {
  const { clock, events } = components
  const key = code.toString()
  const startedAt = clock.monotonic()
  let reportedAt = Number.NEGATIVE_INFINITY

  await using download = createDownload(transfer, { maxBytes: options.maxBytes, onStored: reportProgress })
  const pool = createProviderPool(components, {
    what: `the ${transfer.noun} ${key}`,
    providers: options.providers,
    self: options.self,
    pull: (provider) => transfer.pull(provider, download),
    isDone: () => download.target?.picker.done === true,
    onInvalidData,
    onFatal: download.fail,
  })
  const stop = () => download.fail(options.signal?.reason)
  options.signal?.throwIfAborted()
  using _stop = options.signal && addAbortListener(options.signal, stop)
  events.emit('code:fetch-started', { code: key })
  try {
    await download.resume(options)
    await Promise.race([download.complete, pool.run().then(() => download.complete)])
    await closePool()
    await download.target?.partial.commit({ from: 'mesh', startedAt })
    const size = download.target?.partial.manifest.size ?? 0
    events.emit('code:fetch-finished', { code: key, size, ms: clock.monotonic() - startedAt, from: 'mesh' })
  } catch (error) {
    await closePool()
    // on a full disk the space matters more than the next attempt's head start
    if (error instanceof DiskFullError) await download.target?.partial.discard()
    throw error
  }

  async function closePool(): Promise<void> {
    await pool.close()
    await download.onIdle()
  }

  function reportProgress({ partial, picker }: Target<P, K>): void {
    const progress = { bytes: partial.bytes, size: partial.manifest.size }
    options.onProgress?.(progress)
    if (!picker.done && clock.monotonic() - reportedAt < PROGRESS_MS) return
    reportedAt = clock.monotonic()
    events.emit('code:fetch-progress', { code: key, ...progress, providers: pool.size })
  }

  function onInvalidData(peer: string, problem: string): void {
    events.emit('code:provider-invalid', { code: key, peer, problem })
    components.onInvalidData?.(peer)
  }
}
