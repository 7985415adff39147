import { decodeSigned } from '../../protocols/announcement.ts'
import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { AnnouncementCache } from './announcement-cache.ts'
import {
  DEFERRED_PULL_EVERY_MS,
  MAINTENANCE_EVERY_MS,
  MAX_DEFERRED_PULLS,
  MAX_REBROADCASTS,
  PRUNE_GROWTH,
} from './constants.ts'
import type { DecisionQueue } from './decision-queue.ts'
import type { DeferredPulls } from './deferred-pulls.ts'
import type { Forwarder } from './forwarder.ts'
import type { IntakeComponents, IntakeJournal, IntakeMesh } from './types.ts'

/** What has to be done again and again: forget, decide and emit what was left over, pull what was deferred. */
export interface Maintenance extends Disposable {
  start(): void
  /** One more was journalled. */
  grown(): void
  /** Resolves when nothing is being emitted again. */
  idle(): Promise<void>
}

export interface MaintenanceComponents {
  clock: Clock
  log: Log
  journal: IntakeJournal
  cache: AnnouncementCache
  decisions: DecisionQueue
  forwarder: Forwarder
  deferred: DeferredPulls
  mesh: IntakeMesh
  onForgotten: IntakeComponents['onForgotten']
}

export function createMaintenance(components: MaintenanceComponents, init: { journalMax: number }): Maintenance {
  const { clock, log, journal, cache, decisions, forwarder, deferred, mesh } = components
  const timers: Timer[] = []
  let added = 0
  let remaining = true
  let failures = 0
  let emitting: Promise<void> | undefined
  let ended = false

  const prune = () => {
    added = 0
    const ids = journal.prune(init.journalMax)
    cache.forget(ids)
    components.onForgotten?.(ids)
  }

  /** What a crash, or a decider that failed, left without a verdict; a queue's length at a time. */
  const decideAgain = () => {
    if (!remaining && decisions.failed === failures) return
    failures = decisions.failed
    const max = decisions.free + decisions.pending
    const records = journal.announcements.undecided(nowSeconds(clock), max)
    remaining = records.length >= max
    for (const record of records) {
      const entry = cache.get(record.id)
      if (entry === undefined || decisions.has(record.id) || !decisions.hasCapacity) continue
      const signed = decodeSigned(record.body, record.sig)
      if (signed.kind === 'service') decisions.start(entry, signed)
    }
  }

  /** One after the other: a node that nobody hears has hundreds of them in each round. */
  const emitAll = async (ids: readonly string[]) => {
    for (const id of ids) {
      await clock.nextTurn()
      const entry = ended ? undefined : cache.get(id)
      if (entry !== undefined) await forwarder.emit(entry)
    }
  }
  const emitAgain = () => {
    if (emitting !== undefined) return
    const ids = journal.announcements.pendingEmission(nowSeconds(clock), MAX_REBROADCASTS)
    if (ids.length === 0) return
    emitting = emitAll(ids)
      .catch(failed)
      .finally(() => {
        emitting = undefined
      })
  }

  const pullDeferred = () => {
    for (const [peer, ids] of deferred.take(clock.now(), Math.min(MAX_DEFERRED_PULLS, decisions.free))) {
      void ask(peer, ids)
    }
  }

  const ask = async (peer: string, ids: Parameters<IntakeMesh['pull']>[1]) => {
    try {
      await mesh.pull(peer, ids)
    } catch (error) {
      log.debug('a neighbour could not be asked for what was missed', { peer, reason: messageOf(error) })
    }
  }

  /** A round that fails (a full disk) must not end the rounds. */
  const failed = (error: unknown) =>
    log.warn('the maintenance of announcements failed; it is tried again', { reason: messageOf(error) })
  const guarded = (work: () => void) => () => {
    try {
      work()
    } catch (error) {
      failed(error)
    }
  }

  const round = () => {
    for (const work of [prune, decideAgain, emitAgain]) guarded(work)()
  }

  return {
    start() {
      round()
      timers.push(clock.every(MAINTENANCE_EVERY_MS, round), clock.every(DEFERRED_PULL_EVERY_MS, guarded(pullDeferred)))
    },
    grown() {
      added++
      if (added > Math.max(1000, init.journalMax * PRUNE_GROWTH)) guarded(prune)()
    },
    idle: async () => emitting,
    [Symbol.dispose]() {
      ended = true
      for (const timer of timers) timer.cancel()
    },
  }
}
