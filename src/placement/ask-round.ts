import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { AskBudget } from './ask-budget.ts'
import type { ClaimBook } from './claim-book.ts'
import { ANSWER_MS, ASKED_AT_ONCE } from './constants.ts'
import type { ClaimMesh } from './types.ts'

export interface AskRoundComponents {
  readonly clock: Clock
  readonly mesh: Pick<ClaimMesh, 'ask' | 'misbehaves'>
  readonly budget: AskBudget
}

/** Asks peers about a service in their order, a few at once, until all have answered or `enough` says so. */
export async function askRound(
  { clock, mesh, budget }: AskRoundComponents,
  round: { service: string; peers: readonly string[]; book: ClaimBook; enough(): boolean; signal: AbortSignal },
): Promise<void> {
  const { service, book, signal } = round
  const left = round.peers.filter((peer) => !mesh.misbehaves(peer)).values()

  async function ask(peer: string): Promise<void> {
    budget.spend()
    using limit = deadline(clock, ANSWER_MS, LATE, signal)
    try {
      book.answered(peer, await raceSignal(mesh.ask(peer, service, { signal: limit.signal }), limit.signal))
    } catch {
      if (!signal.aborted) book.missed(peer)
    }
  }

  async function askSome(): Promise<void> {
    for (const peer of left) {
      if (signal.aborted || round.enough()) return
      await ask(peer)
    }
  }

  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askSome))
}

const LATE = new TimeoutError('the peer did not answer in time')
