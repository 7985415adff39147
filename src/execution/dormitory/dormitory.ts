import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import { EXPIRY_CHECK_MS, MAX_REMEMBERED_EVENTS } from './constants.ts'
import { bestFirst, keyOf, lowest } from './order.ts'
import { findSlot } from './slot.ts'
import type { Dormitory, DormitoryComponents, DormitoryInit, DormitoryState, ParkResult } from './types.ts'
import { createWakeQueue } from './wake-queue.ts'

export function createDormitory(components: DormitoryComponents, init: DormitoryInit): Dormitory {
  const { clock, log, store } = components
  const parked = new Map<string, ParkedService>(store.all().map((service) => [service.id, service]))
  /** when each kind of event happened last, in ticks */
  const lastEvents = new LruMap<string, number>(MAX_REMEMBERED_EVENTS)
  const wakeQueue = createWakeQueue(components, { get: (id) => parked.get(id) })
  let events = 0

  /** since when each is parked, on the monotonic clock: a day that the wall clock jumps does not count */
  const parkedSince = new Map<string, number>()
  for (const { id, since } of parked.values()) {
    parkedSince.set(id, clock.monotonic() - Math.max(0, clock.now() - since))
  }

  const until: Dormitory['until'] = ({ id, since, expires }, ttlMs = init.limits().ttlMs) => {
    const parkedMs = clock.monotonic() - (parkedSince.get(id) ?? clock.monotonic() - (clock.now() - since))
    return Math.min(clock.now() + ttlMs - parkedMs, expires)
  }

  function keep(service: ParkedService, asOf: number, replaced?: ParkedService): ParkResult {
    if (!isDeepStrictEqual(parked.get(service.id), service)) store.put(service)
    parked.set(service.id, service)
    if (!parkedSince.has(service.id)) parkedSince.set(service.id, clock.monotonic())
    for (const condition of service.on) {
      if ((lastEvents.get(keyOf(condition)) ?? 0) > asOf) wakeQueue.add(service.id, condition.on)
    }
    return { parked: true, until: until(service), replaced }
  }

  function removeParked(id: string): boolean {
    if (!parked.has(id)) return false
    store.remove(id)
    parkedSince.delete(id)
    return parked.delete(id)
  }

  function state(): DormitoryState {
    return { now: clock.now(), max: init.limits().max, parked }
  }

  function expire(): void {
    const now = clock.now()
    const { max } = init.limits()
    try {
      for (const service of [...parked.values()]) {
        if (until(service) > now) continue
        const expired = service.expires <= now
        components.onExpired(service, expired ? 'it expired' : 'it has slept as long as DORMITORY.TTL_SECONDS allows')
      }
      for (let last = lowest(parked.values()); parked.size > max && last !== undefined; ) {
        components.onExpired(last, `DORMITORY.MAX is ${max}, and others rank higher`)
        if (parked.has(last.id)) break
        last = lowest(parked.values())
      }
    } catch (error) {
      log.warn('parked services whose time is up could not be removed; it is tried again', { reason: messageOf(error) })
    }
  }

  const timer = clock.every(EXPIRY_CHECK_MS, expire)
  return {
    boot: expire,
    park(newcomer, asOf, given) {
      const service = { ...newcomer, since: parked.get(newcomer.id)?.since ?? clock.now() }
      const place = given ?? findSlot(service, until(service), state())
      if (!place.parked) return place
      if (place.replaced !== undefined) removeParked(place.replaced.id)
      return keep(service, asOf, place.replaced)
    },
    state,
    remove: removeParked,
    wake(condition, ids) {
      events++
      const key = keyOf(condition)
      // what concerns only some says nothing to those that are being decided now
      if (ids === undefined) lastEvents.set(key, events)
      for (const id of ids ?? parked.keys()) {
        if (parked.get(id)?.on.some((other) => keyOf(other) === key)) wakeQueue.add(id, condition.on)
      }
    },
    eventCounter: () => events,
    get: (id) => parked.get(id),
    until,
    all: () => [...parked.values()].sort(bestFirst),
    get size() {
      return parked.size
    },
    idle: () => wakeQueue.idle(),
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await wakeQueue[Symbol.asyncDispose]()
    },
  }
}
