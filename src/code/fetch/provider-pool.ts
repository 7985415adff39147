import { anySignal } from 'any-signal'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { StreamOpener } from '../../base/stream.ts'
import {
  JOIN_MS,
  MAX_CALLS_AT_ONCE,
  MAX_PROVIDERS_AT_ONCE,
  PLACE_MS,
  REDISCOVER_MS,
  SLOW_FACTOR,
  SLOW_MS,
} from '../constants.ts'
import { NoProviderError } from '../errors.ts'
import { type ArchiveStream, openArchiveStream } from './archive-stream.ts'
import { createCandidates } from './candidates.ts'
import { createProviderFailures, isFatal, isInvalidData, noProviderMessage } from './provider-failures.ts'
import { createRequestWindow, type RequestWindow } from './request-window.ts'

export type ProviderPoolComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly streams: StreamOpener
}

export type ProviderPoolInit = {
  /** For sentences: "the code bafy...". */
  readonly what: string
  /** Peer ids, as they are found. Called again while the transfer runs, so that new providers join. */
  readonly providers: (options: { signal: AbortSignal }) => AsyncIterable<string> | Iterable<string>
  /** Never asked: this node itself. */
  readonly self?: string | undefined
  /** Pulls what this provider has; resolves when it has nothing more, or all is here. */
  readonly pull: (provider: Provider) => Promise<void>
  /** All is here. */
  readonly isDone: () => boolean
  /** A provider sent what is not the code. */
  readonly onInvalidData: (peer: string, problem: string) => void
  /** Another provider cannot mend it. */
  readonly onFatal: (error: unknown) => void
}

/** One of the providers that are pulled from. */
export interface Provider {
  /** Aborts when its place is needed, or the transfer is over. */
  readonly signal: AbortSignal
  /** Calls it. A call after the first begins with another window. */
  open(options?: {
    signal?: AbortSignal
    allocate?: (bytes: number) => Uint8Array
  }): Promise<{ stream: ArchiveStream; window: RequestWindow }>
}

/** The providers of one code that are pulled from at once: those that fail, lag or lie make room for others. */
export interface ProviderPool {
  readonly size: number
  /** Looks for providers and pulls from them; ends when all is here, and throws if no provider is left. */
  run(): Promise<void>
  /** Ends all of these downloads. */
  close(): Promise<void>
}

type Active = {
  readonly done: Promise<void>
  readonly since: number
  readonly drop: () => void
  window?: RequestWindow
}

export function createProviderPool(components: ProviderPoolComponents, init: ProviderPoolInit): ProviderPool {
  const { clock, rng, log } = components
  const closed = new AbortController()
  const active = new Map<string, Active>()
  const candidates = createCandidates({ clock, rng })
  const failures = createProviderFailures()

  function onProviderError(peer: string, error: unknown): void {
    if (closed.signal.aborted) return
    const problem = sanitizeText(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider failed', { of: init.what, peer, problem })
    if (isFatal(error)) {
      init.onFatal(error)
    } else if (isInvalidData(error)) {
      candidates.exclude(peer)
      init.onInvalidData(peer, problem)
    } else {
      candidates.postpone(peer)
    }
  }

  async function pullFrom(peer: string, signal: AbortSignal): Promise<void> {
    const open: Provider['open'] = async (options) => {
      const stream = await openArchiveStream(components, peer, { signal, ...options })
      const window = createRequestWindow(clock)
      const place = active.get(peer)
      if (place !== undefined) place.window = window
      return { stream, window }
    }
    await init.pull({ signal, open })
    // it may have more later
    candidates.postpone(peer)
  }

  function start(peer: string): void {
    const dropped = new AbortController()
    const signal = anySignal([closed.signal, dropped.signal])
    const done = pullFrom(peer, signal)
      .catch((error) => onProviderError(peer, error))
      .finally(() => {
        signal.clear()
        active.delete(peer)
        fill()
      })
    const drop = () => dropped.abort(new UnavailableError('others are faster'))
    active.set(peer, { done, since: clock.monotonic(), drop })
  }

  const ageOf = ({ since }: Active) => clock.monotonic() - since
  const lagOf = (provider: Active) => provider.window?.lagMs ?? ageOf(provider)

  /** Names are free: one that does not answer the call soon keeps its place from nobody. */
  function hasPlace(): boolean {
    const placed = [...active.values()].filter(
      (provider) => provider.window !== undefined || ageOf(provider) < PLACE_MS,
    )
    return placed.length < MAX_PROVIDERS_AT_ONCE && active.size < MAX_CALLS_AT_ONCE
  }

  /** Gives each free place to the candidate whose turn it is. */
  function fill(): void {
    while (!closed.signal.aborted && !init.isDone()) {
      const next = candidates.next(active)
      if (next === undefined) return
      if (!hasPlace()) {
        if (next.isNew) dropSlowest()
        return
      }
      start(next.peer)
    }
  }

  /** A provider that lags far behind the others makes room. */
  function dropSlowest(): void {
    const byLag = [...active.values()].sort((a, b) => lagOf(a) - lagOf(b))
    const [fastest, slowest] = [byLag[0], byLag.at(-1)]
    if (fastest === undefined || slowest === undefined) return
    if (lagOf(slowest) >= Math.max(SLOW_MS, SLOW_FACTOR * lagOf(fastest))) slowest.drop()
  }

  const all = () => [...active.values()].map(({ done }) => done)

  async function search(): Promise<void> {
    for await (const peer of init.providers({ signal: closed.signal })) {
      if (peer !== init.self && candidates.add(peer)) fill()
      while (candidates.isFull && active.size > 0) await Promise.race(all())
    }
  }

  /** Until no provider is left, or it is time to look for more. */
  async function pullFor(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (active.size > 0 && clock.monotonic() < until) {
      await Promise.race([Promise.all(all()), sleep(clock, JOIN_MS, closed)])
    }
  }

  return {
    get size() {
      return active.size
    },
    async run() {
      using _turns = clock.every(JOIN_MS, fill)
      do {
        await search()
        await pullFor(REDISCOVER_MS)
      } while (active.size > 0)
      if (!init.isDone()) throw new NoProviderError(noProviderMessage(init.what, failures))
    },
    async close() {
      closed.abort(new NoProviderError('the transfer is over'))
      await Promise.all(all())
    },
  }
}
