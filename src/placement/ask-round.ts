import { raceSignal } from 'race-signal'
import type { Clock } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import { LruMap } from '../base/lru-map.ts'
import type { AnswerTimes } from './answer-times.ts'
import type { AskBudget } from './ask-budget.ts'
import type { ClaimBook } from './claim-book.ts'
import { ANSWER_MS, ASKED_AT_ONCE, MAX_SILENT, MAX_TO_ONE_PEER } from './constants.ts'
import type { ClaimMesh } from './types.ts'

export type Round = {
  readonly service: string
  readonly peers: readonly string[]
  readonly book: ClaimBook
  readonly signal: AbortSignal
  /** Have enough answered? Then nobody else is asked. */
  enough(): boolean
  /** How long the next peer waits for the answer of one before it is asked; default: as long as most answers take here, and longer. */
  readonly patienceMs?: number | undefined
  /** Where too many requests to a peer are open, the next waits for its turn until this is aborted; default: the peer counts as silent. */
  readonly turns?: AbortSignal | undefined
}

/** A peer that a round did not wait for. */
export type BusyPeer = { readonly peer: string; readonly answer: Promise<boolean> }

export interface AskRoundComponents {
  readonly clock: Clock
  readonly mesh: Pick<ClaimMesh, 'ask' | 'misbehaves'>
  readonly budget: AskBudget
  readonly times: AnswerTimes
}

/** Asks peers. An answer that comes after the round still counts for the next. */
export interface AskRound {
  /** Asks about a service, in the order of the peers, a few at once; returns those that have not answered yet. */
  ask(round: Round): Promise<BusyPeer[]>
  /**
   * Waits until these have answered, or enough. For each no longer than an answer takes from the first question that it left unanswered,
   * whatever it was about: one that never answers delays little.
   */
  untilAnswered(busy: readonly BusyPeer[], options: { enough(): boolean }): Promise<void>
}

export function createAskRound({ clock, mesh, budget, times }: AskRoundComponents): AskRound {
  /** requests that are not answered, by peer */
  const open = new Map<string, number>()
  /** resolved when one of them is over */
  const freed = new Map<string, PromiseWithResolvers<void>>()
  /** since when peers do not answer */
  const silentSince = new LruMap<string, number>(MAX_SILENT)

  /** Puts the answer into the book; true where there was one. */
  async function ask(peer: string, { service, book, signal }: Round): Promise<boolean> {
    const askedAt = clock.monotonic()
    open.set(peer, (open.get(peer) ?? 0) + 1)
    if (!silentSince.has(peer)) silentSince.set(peer, askedAt)
    using limit = patientDeadline(clock, ANSWER_MS, signal)
    try {
      const claim = await raceSignal(mesh.ask(peer, service, { signal: limit.signal }), limit.signal)
      times.note(clock.monotonic() - askedAt)
      silentSince.delete(peer)
      book.answered(peer, claim, askedAt)
      return true
    } catch {
      // it is gone, and not silent
      if (!limit.signal.aborted) silentSince.delete(peer)
      return false
    } finally {
      const left = (open.get(peer) ?? 1) - 1
      if (left > 0) open.set(peer, left)
      else open.delete(peer)
      freed.get(peer)?.resolve()
      freed.delete(peer)
    }
  }

  /** As soon as not too many are open to the peer. */
  async function askInTurn(peer: string, round: Round): Promise<boolean> {
    while ((open.get(peer) ?? 0) >= MAX_TO_ONE_PEER) {
      if (round.turns === undefined || round.turns.aborted) return false
      const next = freed.get(peer) ?? Promise.withResolvers<void>()
      freed.set(peer, next)
      await raceSignal(next.promise, round.turns).catch(() => {})
    }
    return await ask(peer, round)
  }

  /** Resolves when the peer has answered, or the next one is to be asked. */
  async function within(ms: number, answer: Promise<boolean>, signal: AbortSignal): Promise<boolean | 'busy'> {
    using limit = patientDeadline(clock, ms, signal)
    return await raceSignal(answer, limit.signal).catch(() => 'busy')
  }

  return {
    async ask(round) {
      const { book, signal } = round
      const left = round.peers.filter((peer) => !mesh.misbehaves(peer)).values()
      const busy: BusyPeer[] = []

      async function askSome(): Promise<void> {
        for (const peer of left) {
          if (signal.aborted || round.enough()) return
          budget.spend()
          const answer = askInTurn(peer, round)
          const answered = await within(round.patienceMs ?? times.patienceMs(), answer, signal)
          if (answered === 'busy') busy.push({ peer, answer })
          if (answered !== true && !signal.aborted) book.missed(peer)
        }
      }

      await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askSome))
      return busy
    },
    async untilAnswered(busy, { enough }) {
      const over = new AbortController()
      const wait = async ({ peer, answer }: BusyPeer) => {
        const now = clock.monotonic()
        const ms = (silentSince.get(peer) ?? now) + ANSWER_MS - now
        if (ms <= 0) return
        using limit = patientDeadline(clock, ms, over.signal)
        await raceSignal(answer, limit.signal).catch(() => {})
        if (enough()) over.abort(LATE)
      }
      await Promise.all(busy.map(wait))
    },
  }
}

const STEPS = 4
const LATE = new TimeoutError('the peer did not answer in time')

/** In steps: after a moment in which this program was busy, what has arrived meanwhile is read before the time is up. */
function patientDeadline(clock: Clock, ms: number, outer: AbortSignal): { signal: AbortSignal } & Disposable {
  const over = new AbortController()
  const end = () => over.abort(outer.aborted ? outer.reason : LATE)
  const arm = (left: number) =>
    clock.after(ms / STEPS, () => {
      if (left === 0) end()
      else timer = arm(left - 1)
    })
  let timer = arm(STEPS - 1)
  outer.addEventListener('abort', end, { once: true })
  if (outer.aborted) end()
  return {
    signal: over.signal,
    [Symbol.dispose]() {
      timer.cancel()
      outer.removeEventListener('abort', end)
    },
  }
}
