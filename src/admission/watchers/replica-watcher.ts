import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Dormitory } from '../../execution/index.ts'
import type { NetworkEvents } from '../../network/index.ts'

/** How often the node checks whether other nodes still run the services parked here as stand-by. */
const LOOK_EVERY_MS = 60_000
/** A peer that went may have been the one: looked at soon, but not once for each of many that go together. */
const AFTER_GONE_MS = 5_000
/** Services checked in one round, and the time limit of each: a stand-by costs its neighbours little. */
const MAX_LOOKED_AT = 16
const LOOK_TIMEOUT_MS = 10_000

export interface ReplicaWatcherComponents {
  clock: Clock
  log: Log
  events: Pick<Events<NetworkEvents>, 'on'>
  dormitory: Pick<Dormitory, 'all' | 'wake'>
  /** How many it wants; undefined where it is over. */
  wanted(id: string): number | undefined
  /** Nodes that answer that they run it, or have done it. Counting may end at `enough`. */
  count(id: string, enough: number, options: { signal: AbortSignal }): Promise<number>
}

/** Wakes stand-bys when fewer nodes than a service wants answer that they run it. */
export function watchReplicas(components: ReplicaWatcherComponents, init: { closing: AbortSignal }): AsyncDisposable {
  const { clock, log, events, dormitory, wanted, count } = components
  const looked = new Map<string, number>()
  let round: Promise<void> | undefined
  let soon = false

  /** Those that were not looked at for the longest time. */
  function next(): string[] {
    const ids = dormitory.all().flatMap(({ id, on }) => (on.some((one) => one.on === 'replica') ? [id] : []))
    const here = new Set(ids)
    for (const id of looked.keys()) if (!here.has(id)) looked.delete(id)
    return ids.sort((a, b) => (looked.get(a) ?? 0) - (looked.get(b) ?? 0)).slice(0, MAX_LOOKED_AT)
  }

  async function look(id: string): Promise<void> {
    const enough = wanted(id)
    if (enough === undefined) return
    looked.set(id, clock.now())
    using limit = deadline(clock, LOOK_TIMEOUT_MS, new TimeoutError('the mesh did not answer in time'), init.closing)
    const there = await count(id, enough, { signal: limit.signal })
    if (there < enough) dormitory.wake({ on: 'replica' }, [id])
  }

  async function checkBatch(): Promise<void> {
    for (const id of next()) {
      if (init.closing.aborted) return
      await look(id).catch((error: unknown) => {
        log.debug('replicas of a service could not be counted', { id, reason: messageOf(error) })
      })
    }
  }

  function begin(): void {
    soon = false
    round ??= checkBatch().finally(() => {
      round = undefined
    })
  }

  const timer = clock.every(LOOK_EVERY_MS, begin)
  const gone = events.on('network:peer-disconnected', () => {
    if (soon) return
    soon = true
    clock.after(AFTER_GONE_MS, begin)
  })
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel()
      gone[Symbol.dispose]()
      await round
    },
  }
}
