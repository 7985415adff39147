import { anySignal } from 'any-signal'
import type { CID } from '../../../protocols/encoding.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { JOIN_MS, MAX_PROVIDERS_AT_ONCE, REDISCOVER_MS, SLOW_FACTOR, SLOW_MS } from '../constants.ts'
import { NoProviderError } from '../errors.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import { createCandidates } from './candidates.ts'
import type { Download } from './download.ts'
import { downloadFrom } from './pull-chunks.ts'
import { isFatal, isInvalidData, noProviderMessage } from './provider-failures.ts'
import { createRequestWindow, type RequestWindow } from './request-window.ts'

export type DownloadSessionComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly streams: StreamOpener
  readonly buffers: BufferPool
  readonly download: Download
  /** A provider sent what is not the code. */
  readonly onInvalidData: (peer: string, problem: string) => void
}

export type DownloadSessionInit = {
  readonly code: CID
  /** Peer ids, as they are found. Called again while the transfer runs, so that new providers join. */
  readonly providers: (options: { signal: AbortSignal }) => AsyncIterable<string> | Iterable<string>
  /** Never asked: this node itself. */
  readonly self?: string | undefined
}

/** The providers that are pulled from at once. */
export interface DownloadSession {
  readonly size: number
  /** Looks for providers and pulls from them; ends when the code is complete, and throws if no provider is left. */
  run(): Promise<void>
  /** Ends all of these downloads. */
  close(): Promise<void>
}

type Active = { readonly done: Promise<void>; readonly window: RequestWindow; readonly drop: () => void }

export function createDownloadSession(
  components: DownloadSessionComponents,
  init: DownloadSessionInit,
): DownloadSession {
  const { clock, rng, log, streams, buffers, download } = components
  const { code } = init
  const closed = new AbortController()
  const active = new Map<string, Active>()
  const candidates = createCandidates({ clock, rng })
  const failures = new Map<string, string>()

  function onProviderError(peer: string, error: unknown): void {
    if (closed.signal.aborted) return
    const problem = sanitizeText(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider failed', { code: code.toString(), peer, problem })
    if (isFatal(error)) {
      download.fail(error)
    } else if (isInvalidData(error)) {
      candidates.exclude(peer)
      components.onInvalidData(peer, problem)
    } else {
      candidates.postpone(peer)
    }
  }

  function start(peer: string): void {
    const dropped = new AbortController()
    const signal = anySignal([closed.signal, dropped.signal])
    const window = createRequestWindow(clock)
    const done = downloadFrom({ clock, streams, buffers, code, peer, signal, download, window })
      .catch((error) => onProviderError(peer, error))
      .finally(() => {
        signal.clear()
        active.delete(peer)
        fill()
      })
    active.set(peer, { done, window, drop: () => dropped.abort(new UnavailableError('others are faster')) })
  }

  /** Gives each free place to the candidate whose turn it is. */
  function fill(): void {
    while (!closed.signal.aborted && download.target?.picker.done !== true) {
      const next = candidates.next(active)
      if (next === undefined) return
      if (active.size >= MAX_PROVIDERS_AT_ONCE) {
        if (next.isNew) dropSlowest()
        return
      }
      start(next.peer)
    }
  }

  /** A provider that lags far behind the others makes room. */
  function dropSlowest(): void {
    const byLag = [...active.values()].sort((a, b) => a.window.lagMs - b.window.lagMs)
    const [fastest, slowest] = [byLag[0], byLag.at(-1)]
    if (fastest === undefined || slowest === undefined) return
    if (slowest.window.lagMs >= Math.max(SLOW_MS, SLOW_FACTOR * fastest.window.lagMs)) slowest.drop()
  }

  const pulling = () => Promise.all([...active.values()].map(({ done }) => done))

  async function search(): Promise<void> {
    for await (const peer of init.providers({ signal: closed.signal })) {
      if (peer !== init.self && candidates.add(peer)) fill()
      while (candidates.isFull && active.size > 0) await Promise.race([...active.values()].map(({ done }) => done))
    }
  }

  /** Until no provider is left, or it is time to look for more. */
  async function pullFor(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (active.size > 0 && clock.monotonic() < until) {
      await Promise.race([pulling(), sleep(clock, JOIN_MS, closed)])
      fill()
    }
  }

  return {
    get size() {
      return active.size
    },
    async run() {
      do {
        await search()
        await pullFor(REDISCOVER_MS)
      } while (active.size > 0)
      if (download.target?.picker.done !== true)
        throw new NoProviderError(noProviderMessage(`the code ${code}`, failures))
    },
    async close() {
      closed.abort(new NoProviderError('the transfer is over'))
      await pulling()
    },
  }
}
