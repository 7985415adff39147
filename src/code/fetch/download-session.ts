import type { CID } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { MAX_FAILURES_NAMED, MAX_PROVIDERS_AT_ONCE, REDISCOVER_MS } from '../constants.ts'
import {
  BadArchiveError,
  DiskFullError,
  HashMismatchError,
  InUseError,
  NoProviderError,
  StoreFullError,
  TooLargeError,
} from '../errors.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import type { Download } from './download.ts'
import { downloadFrom } from './provider-download.ts'

export type DownloadSessionComponents = {
  readonly clock: Clock
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

/** Failures that another provider cannot fix. */
const FATAL = [BadArchiveError, DiskFullError, InUseError, StoreFullError, TooLargeError]

export function createDownloadSession(
  components: DownloadSessionComponents,
  init: DownloadSessionInit,
): DownloadSession {
  const { clock, log, streams, buffers, download } = components
  const { code } = init
  const closed = new AbortController()
  const active = new Map<string, Promise<void>>()
  const excluded = new Set<string>()
  const failures = new Map<string, string>()

  function onProviderError(peer: string, error: unknown): void {
    if (closed.signal.aborted) return
    const problem = sanitizeText(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider failed', { code: code.toString(), peer, problem })
    if (FATAL.some((kind) => error instanceof kind)) {
      download.fail(error)
    } else if (error instanceof HashMismatchError || error instanceof ProtocolError) {
      excluded.add(peer)
      components.onInvalidData(peer, problem)
    }
  }

  function join(peer: string): void {
    if (peer === init.self || active.has(peer) || excluded.has(peer)) return
    const work = downloadFrom({ clock, streams, buffers, code, peer, signal: closed.signal, download })
      .catch((error) => onProviderError(peer, error))
      .finally(() => active.delete(peer))
    active.set(peer, work)
  }

  return {
    get size() {
      return active.size
    },
    async run() {
      do {
        for await (const peer of init.providers({ signal: closed.signal })) {
          join(peer)
          while (active.size >= MAX_PROVIDERS_AT_ONCE) await Promise.race(active.values())
        }
        await Promise.race([Promise.all(active.values()), sleep(clock, REDISCOVER_MS, closed)])
      } while (active.size > 0)
      if (download.target?.picker.done !== true) throw new NoProviderError(noProviderMessage(code.toString(), failures))
    },
    async close() {
      closed.abort(new NoProviderError('the transfer is over'))
      await Promise.all(active.values())
    },
  }
}

function noProviderMessage(code: string, failures: ReadonlyMap<string, string>): string {
  if (failures.size === 0) return `no peer was found that has the code ${code}`
  const named = [...failures]
    .slice(-MAX_FAILURES_NAMED)
    .map(([peer, problem]) => `${sanitizeText(peer, 60)}: ${problem}`)
  return `no peer has the code ${code} (${named.join('; ')})`
}
