import { raceSignal } from 'race-signal'
import { type Clock, deadline, sleep } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { AnswerTimes } from './answer-times.ts'
import type { AskBudget } from './ask-budget.ts'
import type { ClaimBook } from './claim-book.ts'
import { ASKED_AT_ONCE, MAX_TO_ONE_PEER, PATIENCE_MS } from './constants.ts'
import type { ClaimMesh } from './types.ts'

export type Round = {
  readonly service: string
  readonly peers: readonly string[]
  readonly book: ClaimBook
  readonly signal: AbortSignal
  /** Have enough answered? Then nobody else is asked. */
  enough(): boolean
}

export interface AskRoundComponents {
  readonly clock: Clock
  readonly mesh: Pick<ClaimMesh, 'ask' | 'misbehaves'>
  readonly budget: AskBudget
  readonly times: AnswerTimes
}

/** Asks peers about a service in their order, a few at once. An answer that comes after the round still counts for the next. */
export function createAskRound({ clock, mesh, budget, times }: AskRoundComponents): (round: Round) => Promise<void> {
  /** requests that are not answered, by peer */
  const open = new Map<string, number>()

  /** Puts the answer into the book; true where there was one. */
  async function ask(peer: string, { service, book, signal }: Round): Promise<boolean> {
    const askedAt = clock.monotonic()
    open.set(peer, (open.get(peer) ?? 0) + 1)
    using limit = deadline(clock, PATIENCE_MS.most, LATE, signal)
    try {
      const claim = await raceSignal(mesh.ask(peer, service, { signal: limit.signal }), limit.signal)
      times.note(clock.monotonic() - askedAt)
      book.answered(peer, claim)
      return true
    } catch {
      return false
    } finally {
      const left = (open.get(peer) ?? 1) - 1
      if (left > 0) open.set(peer, left)
      else open.delete(peer)
    }
  }

  /** In steps: after a moment in which this program was busy, what has arrived meanwhile is read first. */
  async function patience(signal: AbortSignal): Promise<boolean> {
    const ms = times.patienceMs() / PATIENCE_STEPS
    for (let step = 0; step < PATIENCE_STEPS && !signal.aborted; step++) {
      await sleep(clock, ms, { signal }).catch(() => {})
    }
    return false
  }

  return async (round) => {
    const { book, signal } = round
    const left = round.peers.filter((peer) => !mesh.misbehaves(peer)).values()

    async function askSome(): Promise<void> {
      for (const peer of left) {
        if (signal.aborted || round.enough()) return
        budget.spend()
        const mayAsk = (open.get(peer) ?? 0) < MAX_TO_ONE_PEER
        const answered = mayAsk && (await Promise.race([ask(peer, round), patience(signal)]))
        if (!answered && !signal.aborted) book.missed(peer)
      }
    }

    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askSome))
  }
}

const PATIENCE_STEPS = 4
const LATE = new TimeoutError('the peer did not answer in time')
