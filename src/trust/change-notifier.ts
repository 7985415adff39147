import type { Statement } from '../../protocols/statement.ts'
import { atWallTime, type Clock, type Timer } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import { LruMap } from '../base/lru-map.ts'
import { MAX_PENDING_EXPIRIES } from './constants.ts'
import type { TrustChange, TrustEvents } from './events.ts'
import type { TextOf } from './statements/address-cache.ts'

/** Reports changes: when they are learnt, and at the moment when what was reported ends. */
export interface ChangeNotifier extends Disposable {
  notify(change: TrustChange): void
  /** Facts that were handed out hold until then (seconds). */
  notifyAt(change: TrustChange, seconds: number): void
}

export function changeOf({ kind, body }: Statement, textOf: TextOf): TrustChange {
  switch (kind) {
    case 'attestation':
      return { on: 'code', code: body.code.toString() }
    case 'freeze':
      return { on: 'freeze', address: textOf(body.address), chain: body.chain }
    case 'delegation':
      return { on: 'tree' }
  }
}

function keyOf(change: TrustChange): string {
  if (change.on === 'code') return change.code
  return change.on === 'tree' ? '' : `${change.address} ${change.chain}`
}

export function createChangeNotifier({
  clock,
  events,
}: {
  clock: Clock
  events: Emitter<TrustEvents>
}): ChangeNotifier {
  const ends = new LruMap<string, { change: TrustChange; at: number }>(MAX_PENDING_EXPIRIES)
  let timer: Timer | undefined
  let armed = Number.POSITIVE_INFINITY

  function arm(at: number): void {
    if (at >= armed) return
    timer?.cancel()
    armed = at
    timer = atWallTime(clock, at * 1000, fire)
  }

  function fire(): void {
    armed = Number.POSITIVE_INFINITY
    const now = clock.now() / 1000
    const over = [...ends.entries()].filter(([, { at }]) => at <= now)
    for (const [key] of over) ends.delete(key)
    for (const [, { at }] of ends.entries()) arm(at)
    for (const [, { change }] of over) events.emit('trust:changed', change)
  }

  return {
    notify: (change) => events.emit('trust:changed', change),
    notifyAt(change, at) {
      if (at === Number.POSITIVE_INFINITY) return
      const key = keyOf(change)
      const known = ends.get(key)
      if (known !== undefined && known.at <= at && known.at * 1000 > clock.now()) return
      ends.set(key, { change, at })
      arm(at)
    },
    [Symbol.dispose]: () => timer?.cancel(),
  }
}
