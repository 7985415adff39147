import { type CID, isImageCid } from '../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../protocols/limits.ts'
import { deadline, sleep } from '../base/clock.ts'
import { isRetryable, messageOf } from '../base/errors.ts'
import { formatBytes, sanitizeText } from '../base/format.ts'
import { retry } from '../base/retry.ts'
import { createSingleFlight } from '../base/single-flight.ts'
import type { TarLimits } from './archive/tar-read.ts'
import { DEFAULT_MAX_ENTRIES, MAX_BUFFERS, MESH_AGAIN_MS, MESH_FIRST_MS, OBTAIN_BACKOFF } from './constants.ts'
import { HashMismatchError, NoProviderError, TooLargeError } from './errors.ts'
import { fetchCode } from './fetch/fetch.ts'
import { createLayerSizes } from './images/layer-sizes.ts'
import { addInlineCode } from './inline.ts'
import { createParallelSearches } from './parallel-searches.ts'
import { createSourceFallback, type SourceFallback } from './sources/source-fallback.ts'
import type { CodeSources } from './sources/sources.ts'
import { createBufferPool } from './store/buffer-pool.ts'
import type { CodeComponents, CodeInit, CodeStore, RetrievedCode, RetrieveOptions } from './types.ts'
import { createUnpackCache } from './unpack/unpack-cache.ts'

const DEFAULT_LIMITS: TarLimits = { maxEntries: DEFAULT_MAX_ENTRIES, maxBytes: CHUNK_BYTES * MAX_CHUNKS }

/** Brings code here, by whatever way is open. */
export function createRetriever(
  components: CodeComponents & { store: CodeStore; sources?: CodeSources | undefined },
  init: Pick<CodeInit, 'self'>,
) {
  const { clock, events, log, rng, store, streams, zstd, onInvalidData } = components
  const unpackCache = createUnpackCache(components)
  const layerSizes = createLayerSizes({ clock, images: store.images })
  const meshFetches = createSingleFlight<void>()
  const sourceFetches = createSingleFlight<void>()
  const searches = createParallelSearches()
  const buffers = createBufferPool(MAX_BUFFERS)

  async function* peersOf(code: CID, peers: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
    yield* peers
    try {
      yield* components.providers.findProviders(code, { signal })
    } catch (error) {
      signal.throwIfAborted()
      log.debug('the lookup of providers failed', { code: code.toString(), error: sanitizeText(messageOf(error)) })
    }
  }

  /** What several services of one author name alike is downloaded once. It waits for a place of that author's share alone. */
  const sharedSources = ({ fetch, whyWaits }: CodeSources): CodeSources => ({
    whyWaits,
    fetch(source, code, { signal, ...options }) {
      const key = JSON.stringify([code.toString(), source, options.limits, options.own === true, options.author])
      return sourceFetches.run(key, (shared) => fetch(source, code, { ...options, signal: shared }), { signal })
    },
  })
  const sources = components.sources && sharedSources(components.sources)

  /**
   * Each way once. Throws NoProviderError where none led to the code. Peers are asked once for all that want the code; the
   * sources of each service are its own, and its author may be anybody: a slow one keeps no other service waiting.
   */
  async function round(
    code: CID,
    limits: TarLimits,
    options: RetrieveOptions,
    elsewhere: SourceFallback,
  ): Promise<void> {
    if (store.has(code) || (await addInlineCode(store, code, options.sources ?? [], options))) return
    try {
      return await fetchFromMesh(code, limits, options, elsewhere)
    } catch (error) {
      if (!(error instanceof NoProviderError) || !elsewhere.hasMore) throw error
      using search = searches.join(code.toString(), options.signal)
      await elsewhere
        .fetch(code, { limits, own: options.own, author: options.author, signal: search.signal }, error)
        .catch((problem: unknown) => {
          options.signal?.throwIfAborted()
          if (!store.has(code)) throw problem
        })
    }
  }

  /** Where another source is there, peers have the first word: at once next to the publisher, further away for a while. */
  async function fetchFromMesh(code: CID, limits: TarLimits, options: RetrieveOptions, { hasMore }: SourceFallback) {
    const until = clock.monotonic() + (hasMore ? (options.distance ?? 0) * MESH_FIRST_MS : 0)
    const ask = (signal: AbortSignal) => askPeers(code, limits, { ...options, signal })
    while (!store.has(code)) {
      try {
        // another service has limits of its own, and other peers to ask
        return await meshFetches.run(code.toString(), ask, { signal: options.signal, isTheirs: () => true })
      } catch (error) {
        const left = until - clock.monotonic()
        if (!(error instanceof NoProviderError) || left <= 0) throw error
        await sleep(clock, Math.min(left, MESH_AGAIN_MS), { signal: options.signal })
      }
    }
  }

  async function askPeers(code: CID, limits: TarLimits, options: RetrieveOptions): Promise<void> {
    await fetchCode({ clock, rng, log, events, store, streams, buffers, zstd, onInvalidData }, code, {
      signal: options.signal,
      self: init.self,
      maxBytes: limits.maxBytes,
      onProgress: options.onProgress,
      providers: ({ signal }) => peersOf(code, options.peers ?? [], signal),
    })
  }

  async function fetch(code: CID, limits: TarLimits, options: RetrieveOptions): Promise<void> {
    const key = code.toString()
    const giveUp = new NoProviderError(`the code ${key} could not be had in time`)
    using limit =
      options.patienceMs === undefined ? undefined : deadline(clock, options.patienceMs, giveUp, options.signal)
    const signal = limit?.signal ?? options.signal
    const elsewhere = createSourceFallback({ events, sources }, options)
    const attempt = async () => {
      try {
        await round(code, limits, { ...options, signal }, elsewhere)
        searches.found(key)
      } catch (error) {
        const again = isRetryable(error) && signal?.aborted !== true
        events.emit('code:fetch-failed', { code: key, problem: sanitizeText(messageOf(error), 400), retry: again })
        throw error
      }
    }
    await retry(attempt, { clock, rng, backoff: OBTAIN_BACKOFF, attempts: options.attempts, signal })
    const size = store.size(code) ?? 0
    if (size > limits.maxBytes) {
      throw new TooLargeError(`the code has ${formatBytes(size)}; at most ${formatBytes(limits.maxBytes)} are allowed`)
    }
  }

  /** Code that was refused for its size is removed, unless another run uses it, or it was unpacked for a service that may have it. */
  async function forget(code: CID): Promise<void> {
    if (store.has(code) && !isImageCid(code) && store.paths(code).unpacked) return
    await store.remove(code).catch((cause) => log.debug('refused code stays', { cause: messageOf(cause) }))
  }

  /** The folder of an image whose layers an engine may decompress. */
  async function checkedImage(code: CID, { maxBytes }: TarLimits, options: RetrieveOptions): Promise<string> {
    await layerSizes.check(code, maxBytes, options)
    return store.images.folder(code)
  }

  async function obtain(code: CID, options: RetrieveOptions): Promise<RetrievedCode> {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    for (let again = true; ; again = false) {
      const pin = store.pin(code)
      try {
        await fetch(code, limits, options)
        const dir = isImageCid(code)
          ? await checkedImage(code, limits, options)
          : await unpackCache.unpacked(code, limits, pin, options)
        const release = () => pin[Symbol.dispose]()
        return { code, dir, release, [Symbol.dispose]: release }
      } catch (error) {
        pin[Symbol.dispose]()
        if (error instanceof TooLargeError) await forget(code)
        // the disk had lost what was fetched earlier: peers still have it
        if (!(error instanceof HashMismatchError && again)) throw error
      }
    }
  }
  return {
    obtain: (code: CID, options: RetrieveOptions = {}) => obtain(code, options),
    async fetch(code: CID, options: RetrieveOptions = {}): Promise<void> {
      using pin = store.pin(code)
      try {
        await fetch(code, { ...DEFAULT_LIMITS, ...options.limits }, options)
      } catch (error) {
        pin[Symbol.dispose]()
        if (error instanceof TooLargeError) await forget(code)
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([meshFetches[Symbol.asyncDispose](), sourceFetches[Symbol.asyncDispose]()])
      await unpackCache[Symbol.asyncDispose]()
    },
  }
}
