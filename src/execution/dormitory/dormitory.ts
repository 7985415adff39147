import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import { REMEMBERED_WAKES, SWEEP_EVERY_MS } from './constants.ts'
import { bestFirst, keyOf, lowest } from './order.ts'
import type { Bedding, Dormitory, DormitoryComponents, DormitoryInit } from './types.ts'
import { createWaking } from './wake-queue.ts'

export function createDormitory(components: DormitoryComponents, init: DormitoryInit): Dormitory {
  const { clock, log, store } = components
  const sleepers = new Map<string, ParkedService>(store.all().map((sleeper) => [sleeper.id, sleeper]))
  /** when each kind of event happened last, in ticks */
  const happened = new LruMap<string, number>(REMEMBERED_WAKES)
  const waking = createWaking(components, { get: (id) => sleepers.get(id) })
  let ticks = 0

  /** since when each sleeps, on the clock that nobody sets: a day that the wall clock jumps is no day of sleep */
  const asleepSince = new Map<string, number>()
  for (const { id, since } of sleepers.values()) {
    asleepSince.set(id, clock.monotonic() - Math.max(0, clock.now() - since))
  }

  function until({ id, since, expires }: ParkedService): number {
    const slept = clock.monotonic() - (asleepSince.get(id) ?? clock.monotonic() - (clock.now() - since))
    return Math.min(clock.now() + init.limits().ttlMs - slept, expires)
  }

  function keep(sleeper: ParkedService, asOf: number, instead?: ParkedService): Bedding {
    if (!isDeepStrictEqual(sleepers.get(sleeper.id), sleeper)) store.put(sleeper)
    sleepers.set(sleeper.id, sleeper)
    if (!asleepSince.has(sleeper.id)) asleepSince.set(sleeper.id, clock.monotonic())
    for (const condition of sleeper.on) {
      if ((happened.get(keyOf(condition)) ?? 0) > asOf) waking.add(sleeper.id, condition.on)
    }
    return { parked: true, until: until(sleeper), instead }
  }

  function leave(id: string): boolean {
    if (!sleepers.has(id)) return false
    store.remove(id)
    asleepSince.delete(id)
    return sleepers.delete(id)
  }

  function sweep(): void {
    const now = clock.now()
    const { max } = init.limits()
    try {
      for (const sleeper of [...sleepers.values()]) {
        if (until(sleeper) > now) continue
        const expired = sleeper.expires <= now
        components.over(sleeper, expired ? 'it expired' : 'it has slept as long as DORMITORY.TTL_SECONDS allows')
      }
      for (let last = lowest(sleepers.values()); sleepers.size > max && last !== undefined; ) {
        components.over(last, `DORMITORY.MAX is ${max}, and others rank higher`)
        if (sleepers.has(last.id)) break
        last = lowest(sleepers.values())
      }
    } catch (error) {
      log.warn('the dormitory could not be tidied; it is tried again', { reason: messageOf(error) })
    }
  }

  const timer = clock.every(SWEEP_EVERY_MS, sweep)
  return {
    boot: sweep,
    park(newcomer, asOf) {
      const known = sleepers.get(newcomer.id)
      const sleeper = { ...newcomer, since: known?.since ?? clock.now() }
      if (until(sleeper) <= clock.now()) {
        return { parked: false, why: 'it has slept as long as DORMITORY.TTL_SECONDS allows' }
      }
      const { max } = init.limits()
      if (known !== undefined || sleepers.size < max) return keep(sleeper, asOf)
      const last = lowest(sleepers.values())
      if (last === undefined || bestFirst(sleeper, last) >= 0) {
        const full =
          max === 0 ? 'DORMITORY.MAX is 0: nothing is parked here' : `all ${max} places of DORMITORY.MAX are taken`
        return { parked: false, why: last === undefined ? full : `${full}, and none of them ranks lower` }
      }
      leave(last.id)
      return keep(sleeper, asOf, last)
    },
    leave,
    wake(condition, ids) {
      ticks++
      const key = keyOf(condition)
      // what concerns only some says nothing to those that are being decided now
      if (ids === undefined) happened.set(key, ticks)
      for (const id of ids ?? sleepers.keys()) {
        if (sleepers.get(id)?.on.some((other) => keyOf(other) === key)) waking.add(id, condition.on)
      }
    },
    tick: () => ticks,
    get: (id) => sleepers.get(id),
    until,
    all: () => [...sleepers.values()].sort(bestFirst),
    get size() {
      return sleepers.size
    },
    idle: () => waking.idle(),
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await waking[Symbol.asyncDispose]()
    },
  }
}
