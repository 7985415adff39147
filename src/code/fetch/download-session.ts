import type { CID } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { LOOK_AGAIN_MS, MAX_FAILURES_NAMED, MAX_PROVIDERS_AT_ONCE } from '../constants.ts'
import {
  BadArchiveError,
  DiskFullError,
  InUseError,
  NoProviderError,
  StoreFullError,
  TooLargeError,
  WrongBytesError,
} from '../errors.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import type { Transfer } from './download.ts'
import { pullFrom } from './provider-download.ts'

export type CrowdComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly streams: StreamOpener
  readonly buffers: BufferPool
  readonly transfer: Transfer
  /** A provider sent what is not the code. */
  readonly lied: (peer: string, problem: string) => void
}

export type CrowdInit = {
  readonly code: CID
  /** Peer ids, as they are found. Called again while the transfer runs, so that new providers join. */
  readonly providers: (options: { signal: AbortSignal }) => AsyncIterable<string> | Iterable<string>
  /** Never asked: this node itself. */
  readonly self?: string | undefined
}

/** All who are pulled from at once. */
export interface Crowd {
  readonly size: number
  /** Looks for providers and pulls from them; ends when the code is there, and throws where nobody is left to ask. */
  gather(): Promise<void>
  /** Lets all of them go. */
  leave(): Promise<void>
}

/** Failures that another provider can not mend. */
const FATAL = [BadArchiveError, DiskFullError, InUseError, StoreFullError, TooLargeError]

export function createCrowd(components: CrowdComponents, init: CrowdInit): Crowd {
  const { clock, log, streams, buffers, transfer } = components
  const { code } = init
  const over = new AbortController()
  const active = new Map<string, Promise<void>>()
  const liars = new Set<string>()
  const failures = new Map<string, string>()

  function blame(peer: string, error: unknown): void {
    if (over.signal.aborted) return
    const problem = sanitizeText(messageOf(error))
    failures.set(peer, problem)
    log.debug('a provider failed', { code: code.toString(), peer, problem })
    if (FATAL.some((kind) => error instanceof kind)) {
      transfer.fail(error)
    } else if (error instanceof WrongBytesError || error instanceof ProtocolError) {
      liars.add(peer)
      components.lied(peer, problem)
    }
  }

  function join(peer: string): void {
    if (peer === init.self || active.has(peer) || liars.has(peer)) return
    const work = pullFrom({ clock, streams, buffers, code, peer, signal: over.signal, transfer })
      .catch((error) => blame(peer, error))
      .finally(() => active.delete(peer))
    active.set(peer, work)
  }

  return {
    get size() {
      return active.size
    },
    async gather() {
      do {
        for await (const peer of init.providers({ signal: over.signal })) {
          join(peer)
          while (active.size >= MAX_PROVIDERS_AT_ONCE) await Promise.race(active.values())
        }
        await Promise.race([Promise.all(active.values()), sleep(clock, LOOK_AGAIN_MS, over)])
      } while (active.size > 0)
      if (transfer.target?.plan.done !== true) throw new NoProviderError(nobody(code.toString(), failures))
    },
    async leave() {
      over.abort(new NoProviderError('the transfer is over'))
      await Promise.all(active.values())
    },
  }
}

function nobody(code: string, failures: ReadonlyMap<string, string>): string {
  if (failures.size === 0) return `nobody was found who has the code ${code}`
  const named = [...failures]
    .slice(-MAX_FAILURES_NAMED)
    .map(([peer, problem]) => `${sanitizeText(peer, 60)}: ${problem}`)
  return `nobody has the code ${code} (${named.join('; ')})`
}
