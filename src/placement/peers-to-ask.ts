import { compareBytes } from '../../protocols/encoding.ts'
import type { ClaimBook } from './claim-book.ts'
import { ASKED_BACK, MAX_ASKED, MISSED_ROUNDS, OTHERS_PER_ROUND } from './constants.ts'
import { limitClaimants } from './limit-claimants.ts'

export type Known = {
  readonly book: Pick<ClaimBook, 'claims' | 'claimants' | 'distanceOf' | 'silence'>
  readonly neighbours: readonly string[]
  readonly providers: Iterable<string>
  /** peers that this node's run has a tunnel to */
  readonly inUse: ReadonlySet<string>
  /** peers that asked about the service, the latest first */
  readonly askers: readonly string[]
  /** peers that came since the last round */
  readonly fresh: ReadonlySet<string>
}

/** Peers that do not answer are tried last, and few of them. */
const SILENT_PER_ROUND = 4

/**
 * Whom a round asks, in this order: those with a claim, those that came or asked since, then everyone else. In each group the
 * nearest first: what goes before a claim of the same kind is nearer. Of many claimants a part is asked, which those whose keys are near
 * cannot fill alone. `only`: of everyone else no more than a few, those
 * from this position on.
 */
export function peersToAsk(known: Known, only: number | undefined): string[] {
  const { book, neighbours, askers, fresh } = known
  const byDistance = (a: string, b: string) => compareBytes(book.distanceOf(a), book.distanceOf(b))
  const all = [...new Set([...neighbours, ...known.providers, ...askers])]
  const claimants = limitClaimants(book.claimants(), MAX_ASKED, known.inUse).map(({ peer }) => peer)
  const hinted = new Set([...fresh, ...askers.slice(0, ASKED_BACK)].filter((peer) => !book.claims(peer)))
  const others = all.filter((peer) => !book.claims(peer) && !hinted.has(peer)).sort(byDistance)
  const answering = others.filter((peer) => book.silence(peer) < MISSED_ROUNDS)
  const silent = others.filter((peer) => book.silence(peer) >= MISSED_ROUNDS).slice(0, SILENT_PER_ROUND)
  const rest = only === undefined ? [...answering, ...silent] : someOf(others, only, OTHERS_PER_ROUND)
  return [...claimants, ...hinted, ...rest].slice(0, MAX_ASKED)
}

function someOf(peers: readonly string[], from: number, count: number): string[] {
  if (peers.length <= count) return [...peers]
  return Array.from({ length: count }, (_, index) => peers[(from + index) % peers.length] as string)
}
