import { decodeSigned } from '../../protocols/announcement.ts'
import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Book } from './announcement-cache.ts'
import { MISSED_AT_ONCE, MISSED_EVERY_MS, PRUNE_GROWTH, UNHEARD_AT_ONCE, UPKEEP_EVERY_MS } from './constants.ts'
import type { Deciding } from './decision-queue.ts'
import type { MissedList } from './deferred-pulls.ts'
import type { Emitting } from './forwarder.ts'
import type { IntakeJournal, IntakeMesh } from './types.ts'

/** What has to be done again and again: forget, decide and emit what was left over, ask for what was missed. */
export interface Upkeep extends Disposable {
  start(): void
  /** One more was journalled. */
  grown(): void
}

export interface UpkeepComponents {
  clock: Clock
  log: Log
  journal: IntakeJournal
  book: Book
  deciding: Deciding
  emitting: Emitting
  missed: MissedList
  mesh: IntakeMesh
}

export function createUpkeep(components: UpkeepComponents, init: { journalMax: number }): Upkeep {
  const { clock, log, journal, book, deciding, emitting, missed, mesh } = components
  const timers: Timer[] = []
  let added = 0
  let leftOver = true
  let failures = 0

  const prune = () => {
    added = 0
    book.forget(journal.prune(init.journalMax))
  }

  /** What a crash, or a decider that failed, left without a verdict; a queue's length at a time. */
  const decideAgain = () => {
    if (!leftOver && deciding.failed === failures) return
    failures = deciding.failed
    const max = deciding.free + deciding.pending
    const records = journal.announcements.undecided(nowSeconds(clock), max)
    leftOver = records.length >= max
    for (const record of records) {
      const entry = book.get(record.id)
      if (entry === undefined || deciding.has(record.id) || !deciding.room) continue
      const signed = decodeSigned(record.body, record.sig)
      if (signed.kind === 'service') deciding.start(entry, signed)
    }
  }

  const emitAgain = () => {
    for (const { id } of journal.announcements.unemitted(nowSeconds(clock), UNHEARD_AT_ONCE)) {
      const entry = book.get(id)
      if (entry !== undefined) void emitting.emit(entry)
    }
  }

  const askForMissed = () => {
    for (const [peer, ids] of missed.take(clock.now(), Math.min(MISSED_AT_ONCE, deciding.free))) {
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
  const guarded = (work: () => void) => () => {
    try {
      work()
    } catch (error) {
      log.warn('the upkeep of announcements failed; it is tried again', { reason: messageOf(error) })
    }
  }

  const round = () => {
    for (const work of [prune, decideAgain, emitAgain]) guarded(work)()
  }

  return {
    start() {
      round()
      timers.push(clock.every(UPKEEP_EVERY_MS, round), clock.every(MISSED_EVERY_MS, guarded(askForMissed)))
    },
    grown() {
      added++
      if (added > Math.max(1000, init.journalMax * PRUNE_GROWTH)) guarded(prune)()
    },
    [Symbol.dispose]() {
      for (const timer of timers) timer.cancel()
    },
  }
}
