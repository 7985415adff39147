import { codeId } from '../../protocols/archive.ts'
import type { CID } from '../../protocols/encoding.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { MAX_MANIFEST_BYTES } from '../../protocols/limits.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { StreamOpener } from '../base/stream.ts'
import { formatBytes, printable } from '../base/text.ts'
import type { BufferPool } from './buffers.ts'
import { LOOK_AGAIN_MS, MAX_FAILURES_NAMED, MAX_PROVIDERS_AT_ONCE, PROGRESS_MS } from './constants.ts'
import type { CodeStore, PartialCode, Signalled } from './contract.ts'
import {
  BadArchiveError,
  DiskFullError,
  InUseError,
  NoProviderError,
  StoreFullError,
  TooLargeError,
  WrongBytesError,
} from './errors.ts'
import type { CodeEvents } from './events.ts'
import { createPlan } from './plan.ts'
import { pullFrom, type Target } from './provider.ts'

export type FetchComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'has' | 'resume' | 'begin'>
  readonly streams: StreamOpener
  readonly buffers: BufferPool
  readonly lied?: ((peer: string) => void) | undefined
}

export type FetchOptions = Signalled & {
  /** Peer ids, as they are found. Called again while the transfer runs, so that new providers join. */
  readonly providers: (options: { signal: AbortSignal }) => AsyncIterable<string> | Iterable<string>
  /** Never asked: this node itself. */
  readonly self?: string | undefined
  /** More is not fetched. */
  readonly maxBytes?: number | undefined
  readonly onProgress?: ((progress: { bytes: number; size: number }) => void) | undefined
}

/** Failures that another provider can not mend. */
const FATAL = [BadArchiveError, DiskFullError, InUseError, StoreFullError, TooLargeError]

/**
 * Fetches a code from several peers at once into the store, beginning where an earlier fetch ended. Throws
 * NoProviderError where nobody is left who has what is missing; what came so far stays.
 */
export async function fetchCode(components: FetchComponents, code: CID, options: FetchOptions): Promise<void> {
  const { clock, events, log, store, streams, buffers } = components
  if (store.has(code)) return
  const key = code.toString()
  const startedAt = clock.monotonic()
  const over = new AbortController()
  const active = new Map<string, Promise<void>>()
  const liars = new Set<string>()
  const failures = new Map<string, string>()
  const complete = Promise.withResolvers<void>()
  let beginning: Promise<Target> | undefined
  let target: Target | undefined
  let toldAt = Number.NEGATIVE_INFINITY

  const stop = () => complete.reject(options.signal?.reason)
  const aim = (partial: PartialCode): Target => {
    const { size, chunks } = partial.manifest
    if (options.maxBytes !== undefined && size > options.maxBytes) {
      throw new TooLargeError(`the code has ${formatBytes(size)}; at most ${formatBytes(options.maxBytes)} are allowed`)
    }
    target = { partial, plan: createPlan(clock, chunks.length, partial.has) }
    if (target.plan.done) complete.resolve()
    return target
  }
  const begin = (manifest: Uint8Array): Promise<Target> => {
    if (manifest.byteLength > MAX_MANIFEST_BYTES || !codeId(manifest).equals(code)) {
      return Promise.reject(new WrongBytesError('the manifest is not the one that the code is named after'))
    }
    beginning ??= store.begin(code, manifest).then(aimOrLeave)
    return beginning
  }
  const aimOrLeave = async (partial: PartialCode) => {
    try {
      return aim(partial)
    } catch (error) {
      await partial.discard()
      throw error
    }
  }
  const landed = ({ partial, plan }: Target, index: number) => {
    plan.landed(index)
    const progress = { bytes: partial.bytes, size: partial.manifest.size }
    options.onProgress?.(progress)
    if (plan.done || clock.monotonic() - toldAt >= PROGRESS_MS) {
      toldAt = clock.monotonic()
      events.emit('code:fetch-progress', { code: key, ...progress, providers: active.size })
    }
    if (plan.done) complete.resolve()
  }
  const blame = (peer: string, error: unknown) => {
    if (over.signal.aborted) return
    const problem = printable(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider failed', { code: key, peer, problem })
    if (FATAL.some((kind) => error instanceof kind)) return complete.reject(error)
    if (!(error instanceof WrongBytesError || error instanceof ProtocolError)) return
    liars.add(peer)
    events.emit('code:provider-lied', { code: key, peer, problem })
    components.lied?.(peer)
  }
  const join = (peer: string) => {
    if (peer === options.self || active.has(peer) || liars.has(peer)) return
    const pull = { clock, streams, buffers, code, peer, signal: over.signal, begin, target: () => target }
    const work = pullFrom({ ...pull, landed: (index) => landed(target as Target, index) })
      .catch((error) => blame(peer, error))
      .finally(() => active.delete(peer))
    active.set(peer, work)
  }
  /** Ends only when nobody is left to ask. */
  const discover = async () => {
    do {
      for await (const peer of options.providers({ signal: over.signal })) {
        join(peer)
        while (active.size >= MAX_PROVIDERS_AT_ONCE) await Promise.race(active.values())
      }
      await Promise.race([Promise.all(active.values()), sleep(clock, LOOK_AGAIN_MS, over)])
    } while (active.size > 0)
    if (target?.plan.done !== true) throw new NoProviderError(nobody(key, failures))
  }

  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', stop, { once: true })
  events.emit('code:fetch-started', { code: key })
  try {
    const partial = await store.resume(code, options)
    if (partial !== undefined) beginning = aimOrLeave(partial)
    await beginning
    await Promise.race([complete.promise, discover().then(() => complete.promise)])
    await settle()
    await (target as Target | undefined)?.partial.commit()
    const size = (target as Target | undefined)?.partial.manifest.size ?? 0
    events.emit('code:fetch-finished', { code: key, size, ms: clock.monotonic() - startedAt, from: 'mesh' })
  } catch (error) {
    await settle()
    // a full disk needs the room more than the next attempt needs the part
    if (error instanceof DiskFullError) await target?.partial.discard()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', stop)
    complete.promise.catch(() => {})
    await target?.partial[Symbol.asyncDispose]()
  }

  async function settle(): Promise<void> {
    over.abort(new NoProviderError('the transfer is over'))
    await Promise.all(active.values())
    await beginning?.catch(() => {})
  }
}

function nobody(code: string, failures: ReadonlyMap<string, string>): string {
  if (failures.size === 0) return `nobody was found who has the code ${code}`
  const named = [...failures].slice(-MAX_FAILURES_NAMED).map(([peer, problem]) => `${printable(peer, 60)}: ${problem}`)
  return `nobody has the code ${code} (${named.join('; ')})`
}
