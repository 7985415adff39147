import type { Clock } from '../base/clock.ts'
import type { AskRound, BusyPeer } from './ask-round.ts'
import { CLAIM_PATIENCE_MS, OTHERS_PER_ROUND, SWEEP_MS } from './constants.ts'
import type { Entry } from './entry.ts'
import { peersToAsk } from './peers-to-ask.ts'
import type { ClaimMesh } from './types.ts'

export interface ServiceRoundComponents {
  readonly clock: Clock
  readonly mesh: Pick<ClaimMesh, 'neighbours' | 'inUse'>
  readonly askRound: AskRound
}

type Init = {
  /** on the monotonic clock */
  readonly roundAt: number
  readonly signal: AbortSignal
  /** Do enough of those that answered in this round go first? */
  enough(): boolean
}

/** Peers that ask, or are busy, without end: so often they are asked back, and not once more after so long. */
const BACK = { rounds: 2, withinMs: 10_000 }
/** What claimed so long ago may have begun. */
const STALE_MS = 2_000

/**
 * Asks about one service: those that claim, then the others, as long as it matters. Whether a claim stands follows only when those that are
 * busy have answered, too: one that starts meanwhile would be one too many.
 */
export function createServiceRound({ clock, mesh, askRound }: ServiceRoundComponents) {
  function peersOf(entry: Entry, roundAt: number): string[] {
    const { id, part, book } = entry
    const sweeps = part === 'claiming' || part === 'standing-by' || roundAt - entry.sweptAt >= SWEEP_MS
    const known = {
      book,
      neighbours: mesh.neighbours(),
      providers: entry.providers,
      inUse: mesh.inUse(id),
      askers: [...entry.askers.entries()].map(([peer]) => peer).reverse(),
      fresh: new Set(entry.fresh),
    }
    const peers = peersToAsk(known, sweeps ? undefined : entry.turn)
    if (sweeps) entry.sweptAt = roundAt
    else entry.turn += OTHERS_PER_ROUND
    entry.fresh.clear()
    return peers
  }

  /**
   * Peers whose answer may be out of date: they had no claim, and have asked after they were sent their question, so that they may have
   * claimed since, and must not count on this one's silence; or they claimed, too, a while ago.
   */
  function outdated({ askers, book }: Entry): string[] {
    const since = [...askers.entries()].flatMap(([peer, at]) =>
      !book.claims(peer) && at > (book.askedAt(peer) ?? 0) ? [peer] : [],
    )
    return [...since, ...book.claiming(clock.monotonic() - STALE_MS)]
  }

  return async (entry: Entry, { roundAt, signal, enough }: Init): Promise<void> => {
    const { id: service, book, part } = entry
    const isClaim = part === 'claiming'
    // those that are busy are waited for at the end, all together
    const patienceMs = isClaim ? CLAIM_PATIENCE_MS : undefined
    const peers = peersOf(entry, roundAt)
    // while enough of those that claim answer, nobody else is asked
    const claimants = peers.filter((peer) => book.claims(peer))
    const others = peers.filter((peer) => !book.claims(peer))
    const over = new AbortController()
    using _end = { [Symbol.dispose]: () => over.abort() }
    signal.addEventListener('abort', () => over.abort(), { once: true, signal: over.signal })
    const turns = isClaim ? over.signal : undefined
    const ask = (some: readonly string[]) => {
      return askRound.ask({ service, peers: some, book, enough, signal, patienceMs, turns })
    }
    const busy: BusyPeer[] = []
    for (const some of [claimants, others]) busy.push(...(await ask(some)))
    if (!isClaim || enough()) return
    await askRound.untilAnswered(busy, { enough })
    for (let times = 0; times < BACK.rounds && clock.monotonic() - roundAt < BACK.withinMs; times++) {
      const back = outdated(entry)
      if (back.length === 0 || enough() || signal.aborted) return
      await askRound.untilAnswered(await ask(back), { enough })
    }
  }
}
