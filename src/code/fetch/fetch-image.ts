import { addAbortListener } from 'node:events'
import { anySignal } from 'any-signal'
import { type CID, cidOfBytes } from '../../../protocols/encoding.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { formatBytes, sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { MAX_PROVIDERS_AT_ONCE, PROGRESS_MS, REDISCOVER_MS } from '../constants.ts'
import { DiskFullError, HashMismatchError, NoProviderError, TooLargeError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { PartialImage } from '../images/types.ts'
import type { AbortOptions, CodeStore } from '../types.ts'
import { askManifest, openArchiveStream } from './archive-stream.ts'
import { type BlobPicker, createBlobPicker } from './blob-picker.ts'
import { MissingBlobError, pullBlob } from './pull-blob.ts'
import { isFatal, isInvalidData, noProviderMessage } from './provider-failures.ts'

export type FetchImageComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'images'>
  readonly streams: StreamOpener
  readonly onInvalidData?: ((peer: string) => void) | undefined
}

export type FetchImageOptions = AbortOptions & {
  /** Peer ids, as they are found. Called again while the transfer runs, so that new providers join. */
  readonly providers: (options: { signal: AbortSignal }) => AsyncIterable<string> | Iterable<string>
  /** Never asked: this node itself. */
  readonly self?: string | undefined
  /** More is not fetched. */
  readonly maxBytes?: number | undefined
  readonly onProgress?: ((progress: { bytes: number; size: number }) => void) | undefined
}

type Target = { readonly partial: PartialImage; readonly picker: BlobPicker }

/**
 * Fetches an image from several peers into the store: its manifest, then each blob from one of them. What an earlier fetch
 * has left is resumed. Throws NoProviderError where no provider of a missing blob is left; whole blobs are kept.
 */
export async function fetchImage(
  components: FetchImageComponents,
  code: CID,
  options: FetchImageOptions,
): Promise<void> {
  const { clock, events, log, store } = components
  if (store.images.has(code)) return
  options.signal?.throwIfAborted()
  const key = code.toString()
  const startedAt = clock.monotonic()
  const over = new AbortController()
  const signal = anySignal([over.signal, ...(options.signal === undefined ? [] : [options.signal])])
  using _signal = { [Symbol.dispose]: signal.clear }
  const active = new Map<string, Promise<void>>()
  const excluded = new Set<string>()
  const failures = new Map<string, string>()
  let beginning: Promise<Target> | undefined
  let target: Target | undefined
  let fatal: { error: unknown } | undefined
  let reportedAt = Number.NEGATIVE_INFINITY

  function take(partial: PartialImage): Target {
    target = { partial, picker: createBlobPicker(clock, partial.missing()) }
    if (partial.manifest.size <= (options.maxBytes ?? Number.POSITIVE_INFINITY)) return target
    const [size, max] = [partial.manifest.size, options.maxBytes ?? 0].map(formatBytes)
    throw new TooLargeError(`the image has ${size}; at most ${max} are allowed`)
  }

  function report({ partial, picker }: Target): void {
    const progress = { bytes: partial.bytes, size: partial.manifest.size }
    options.onProgress?.(progress)
    if (picker.left > 0 && clock.monotonic() - reportedAt < PROGRESS_MS) return
    reportedAt = clock.monotonic()
    events.emit('code:fetch-progress', { code: key, ...progress, providers: active.size })
  }

  /** A stream that was told of a missing blob has more such answers on their way: the next blob takes another one. */
  async function pullFrom(peer: string): Promise<void> {
    const without = new Set<string>()
    while (!(await pullOn(peer, without)));
  }

  /** False where it ended with a blob that the provider does not have. */
  async function pullOn(peer: string, without: Set<string>): Promise<boolean> {
    await using stream = await openArchiveStream(components, peer, { signal })
    beginning ??= target === undefined ? undefined : Promise.resolve(target)
    if (beginning === undefined) {
      const manifest = await askManifest(stream, code)
      // before it counts for all: a provider that lies fails alone
      if (!cidOfBytes(manifest).equals(code))
        throw new HashMismatchError('the manifest is not the one that was asked for')
      beginning ??= store.images.begin(code, manifest).then(take)
    }
    const { partial, picker } = await beginning
    for (;;) {
      const task = await picker.next(without, { signal })
      if (task === undefined) break
      using _cut = addAbortListener(task.signal, () => void stream[Symbol.asyncDispose]())
      let stored = false
      try {
        await partial.write(task.blob, pullBlob(stream, { code, ...task }))
        stored = true
      } catch (error) {
        task.signal.throwIfAborted()
        if (!(error instanceof MissingBlobError)) throw error
        without.add(task.blob.digest)
        failures.set(peer, messageOf(error))
        return false
      } finally {
        task.done(stored)
      }
      report({ partial, picker })
    }
    await stream.end()
    return true
  }

  function join(peer: string): void {
    if (peer === options.self || active.has(peer) || excluded.has(peer)) return
    const work = pullFrom(peer)
      .catch((error) => onProviderError(peer, error))
      .finally(() => active.delete(peer))
    active.set(peer, work)
  }

  function onProviderError(peer: string, error: unknown): void {
    if (signal.aborted) return
    const problem = sanitizeText(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider of an image failed', { code: key, peer, problem })
    if (isFatal(error)) {
      fatal ??= { error }
      over.abort(error)
      return
    }
    excluded.add(peer)
    if (!isInvalidData(error)) return
    events.emit('code:provider-invalid', { code: key, peer, problem })
    components.onInvalidData?.(peer)
  }

  async function pullFromAll(): Promise<void> {
    do {
      for await (const peer of options.providers({ signal })) {
        join(peer)
        while (active.size >= MAX_PROVIDERS_AT_ONCE) await Promise.race(active.values())
        if (target?.picker.left === 0) return
      }
      await Promise.race([Promise.all(active.values()), sleep(clock, REDISCOVER_MS, { signal })])
    } while (active.size > 0)
  }

  events.emit('code:fetch-started', { code: key })
  try {
    const resumed = store.images.resume(code)
    if (resumed !== undefined) take(resumed)
    if (target?.picker.left !== 0) await pullFromAll()
    if (target?.picker.left !== 0) throw new NoProviderError(noProviderMessage(`the image ${key}`, failures))
    await target.partial.commit({ from: 'mesh', startedAt })
    const { size } = target.partial.manifest
    events.emit('code:fetch-finished', { code: key, size, ms: clock.monotonic() - startedAt, from: 'mesh' })
  } catch (error) {
    options.signal?.throwIfAborted()
    throw fatal?.error ?? error
  } finally {
    over.abort(new NoProviderError('the transfer is over'))
    await Promise.all(active.values())
    await target?.partial[Symbol.asyncDispose]()
    // on a full disk the space matters more than the next attempt's head start
    if (fatal?.error instanceof DiskFullError || fatal?.error instanceof TooLargeError) await target?.partial.discard()
  }
}
