import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { RESERVE_CHECK_MS, RESERVE_RETRY, WANTED_RELAYS } from './constants.ts'

export interface ReservationsComponents {
  clock: Clock
  rng: Rng
  log: Log
  /** Is a relay wanted? */
  wanted(): boolean
  /** Connected static nodes that relay for others. */
  offers(): Promise<readonly string[]>
  /** Relays that hold a reservation of this node now. */
  reserved(): readonly string[]
  reserve(relay: string): Promise<void>
  /** Gives all reservations up. */
  release(): void
}

/** Keeps reservations at relays for as long as they are wanted; where one goes, another is asked. */
export interface Reservations extends Disposable {
  /** Looks now. Resolves when each relay that was asked has answered. */
  look(): Promise<void>
  /** why the last relay that was asked refused; undefined when one has taken this node since */
  readonly refused: string | undefined
  /** relays that could be asked, when it was last looked */
  readonly offers: number
}

export function keepReservations({
  clock,
  rng,
  log,
  wanted,
  offers,
  reserved,
  reserve,
  release,
}: ReservationsComponents): Reservations {
  /** Of relays that are connected and failed; others are forgotten. */
  let failed = new Map<string, { count: number; until: number }>()
  let held: ReadonlySet<string> = new Set()
  let refused: string | undefined
  let offered = 0
  let looking: Promise<void> | undefined
  /** Something has changed since the last look began. */
  let isStale = false

  const notice = () => {
    const now = new Set(reserved())
    for (const relay of held)
      if (!now.has(relay)) log.warn('a relay holds no reservation of this node any more', { relay })
    for (const relay of now) if (!held.has(relay)) log.info('other nodes can reach this one through a relay', { relay })
    held = now
  }
  const ask = async (relay: string) => {
    try {
      await reserve(relay)
      failed.delete(relay)
      refused = undefined
    } catch (error) {
      const count = failed.get(relay)?.count ?? 0
      failed.set(relay, { count: count + 1, until: clock.monotonic() + backoffMs(count, RESERVE_RETRY, rng) })
      const reason = sanitizeText(messageOf(error), 200)
      if (reason !== refused) log.warn('a relay gives this node no reservation', { relay, reason })
      refused = reason
    }
  }
  const lookOnce = async () => {
    notice()
    if (!wanted()) {
      if (held.size === 0) return
      log.info('other nodes reach this one directly; its reservations at relays are given up')
      release()
      held = new Set()
      return
    }
    const relays = await offers()
    offered = relays.length
    failed = new Map([...failed].filter(([relay]) => relays.includes(relay)))
    for (const relay of relays) {
      if (reserved().length >= WANTED_RELAYS) break
      const isFree = (failed.get(relay)?.until ?? 0) <= clock.monotonic()
      if (isFree && !reserved().includes(relay)) await ask(relay)
    }
    notice()
  }
  const look = async () => {
    isStale = true
    looking ??= lookWhileStale().finally(() => {
      looking = undefined
    })
    await looking
  }
  const lookWhileStale = async () => {
    while (isStale) {
      isStale = false
      await lookOnce().catch((error: unknown) => log.debug('no relay could be asked', { error: messageOf(error) }))
    }
  }
  const timer = clock.every(RESERVE_CHECK_MS, () => void look())

  return {
    look,
    get refused() {
      return refused
    },
    get offers() {
      return offered
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}
