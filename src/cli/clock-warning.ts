import { CLOCK_SKEW_SECONDS } from '../../protocols/limits.ts'
import type { Events } from '../base/events.ts'
import { formatMs } from '../base/format.ts'
import type { NodeEvents } from '../node/events.ts'
import { checkClock } from './checks/machine.ts'
import type { Cli } from './cli.ts'

/** Peers that must say the same: one or two may have a wrong clock, or lie. */
const PEERS = 3
/** Peers whose clock is remembered. */
const MAX_PEERS = 64

const CONSEQUENCE = 'Nodes ignore what is signed two minutes off'

/**
 * Warns once if this machine's clock is wrong, as seen from its files or the HTTP origins of static nodes: nodes ignore what is
 * signed two minutes off, without an answer.
 */
export async function warnOfClock(
  { clock }: Pick<Cli, 'clock'>,
  facts: { folder: string | undefined; origins: readonly string[] },
  warn: (words: string) => void,
): Promise<void> {
  const { outcome, found, advice } = await checkClock(clock, facts)
  if (outcome === 'ok') return
  warn(`The clock of this machine is wrong: ${found}. ${CONSEQUENCE}; ${advice}.`)
}

/**
 * If no static node has an HTTP origin, the mesh itself shows that this clock is behind: an honest node with a right clock passes
 * on nothing that is issued in the future. Of a clock that is ahead nothing can be seen: announcements are old for other reasons.
 */
export function watchClock(events: Pick<Events<NodeEvents>, 'on'>, warn: (words: string) => void): Disposable {
  const seen = new Map<string, number>()
  const subscription = events.on('intake:early', ({ from, aheadMs }) => {
    if (from === undefined || (!seen.has(from) && seen.size >= MAX_PEERS)) return
    // the least of what a peer sent: an author whose own clock is ahead says more
    seen.set(from, Math.min(aheadMs, seen.get(from) ?? Number.POSITIVE_INFINITY))
    if (seen.size < PEERS) return
    subscription[Symbol.dispose]()
    const median = [...seen.values()].sort((a, b) => a - b)[Math.floor(seen.size / 2)] ?? CLOCK_SKEW_SECONDS * 1000
    warn(
      `The clock of this machine is probably wrong: ${seen.size} peers sent what is signed ${formatMs(median)} from now. ${CONSEQUENCE}; set the clock, best by NTP.`,
    )
  })
  return subscription
}
