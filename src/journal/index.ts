import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AnnouncementStore } from './announcements.ts'
import type { HeadStore } from './heads.ts'
import { open } from './journal.ts'
import type { MetaStore } from './meta.ts'
import type { PublishedStore } from './published.ts'
import type { ReceiptStore } from './receipts.ts'
import type { ReconsiderationStore } from './reconsiderations.ts'
import type { RunStore } from './runs.ts'
import type { SleeperStore } from './sleepers.ts'
import type { StatementStore } from './statements.ts'
import type { StopStore } from './stops.ts'
import type { VerdictStore } from './verdicts.ts'

export type { AnnouncementRecord, AnnouncementStore, Via } from './announcements.ts'
export { JournalDamagedError } from './errors.ts'
export type { Head, HeadStore } from './heads.ts'
export type { MetaStore } from './meta.ts'
export type { PublishedStore } from './published.ts'
export { type HeardService, openJournalReader } from './reader.ts'
export type { ReceiptStore } from './receipts.ts'
export type { Candidate, ReconsiderationStore, ReconsideredServices } from './reconsiderations.ts'
export type { RunStore } from './runs.ts'
export type { SleeperStore } from './sleepers.ts'
export type { StatementRecord, StatementStore } from './statements.ts'
export type { StopStore } from './stops.ts'
export type { VerdictRecord, VerdictStore } from './verdicts.ts'

export type JournalInit = {
  /** the file, or `:memory:` for a journal that ends with the process */
  path: string
  clock: Clock
  log: Log
}

/**
 * What survives `kill -9`: one SQLite file. Every call is synchronous and committed when it returns.
 * A full disk throws an UnavailableError with nothing half written; a damaged file a JournalDamagedError that names it.
 */
export interface Journal extends Disposable, AsyncDisposable {
  readonly path: string
  readonly announcements: AnnouncementStore
  readonly heads: HeadStore
  readonly verdicts: VerdictStore
  readonly receipts: ReceiptStore
  readonly stops: StopStore
  readonly runs: RunStore
  readonly published: PublishedStore
  readonly sleepers: SleeperStore
  readonly reconsiderations: ReconsiderationStore
  readonly statements: StatementStore
  readonly meta: MetaStore
  /** Several calls as one: all or nothing. */
  transaction<T>(work: () => T): T
  /**
   * Forgets what is over (expired announcements with their dedupe time, old runs and heads), then, beyond `max`
   * announcements, refused ones of unknown authors first; never what is own, runs, ran or is parked. Answers the ids.
   */
  prune(max: number): string[]
  /** How many services were forgotten before their end that may still be live; whatever is decided again, they are not. */
  forgotten(): number
}

/** Opens or creates a journal. Throws where the file is newer than this program, damaged, or can not be written. */
export function openJournal(init: JournalInit): Journal {
  return open(init)
}
