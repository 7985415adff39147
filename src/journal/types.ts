import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AnnouncementStore } from './announcements.ts'
import type { KeyValueStore } from './key-value.ts'
import type { RunRowReader } from './lists/run-rows.ts'
import type { ServiceRowReader } from './lists/service-rows.ts'
import type { BlockStore } from './operator/blocks.ts'
import type { OperatorStopStore } from './operator/operator-stops.ts'
import type { PolicyStore } from './operator/policies.ts'
import type { ParkedStore } from './parked.ts'
import type { PublishedStore } from './published.ts'
import type { ReceiptStore } from './receipts.ts'
import type { ReevaluationStore } from './reevaluations.ts'
import type { RunStore } from './runs.ts'
import type { StatementStore } from './statements.ts'
import type { VerdictStore } from './verdicts.ts'
import type { VersionHeadStore } from './version-heads.ts'

export type JournalInit = {
  /** the file, or `:memory:` for a journal that ends with the process */
  path: string
  clock: Clock
  log: Log
  /** called after each commit */
  onCommit?: (() => void) | undefined
}

/**
 * What survives `kill -9`: one SQLite file. Every call is synchronous and committed when it returns.
 * A full disk throws an UnavailableError with nothing half written; a damaged file a JournalDamagedError that names it.
 */
export interface Journal extends Disposable, AsyncDisposable {
  readonly path: string
  readonly announcements: AnnouncementStore
  readonly heads: VersionHeadStore
  readonly verdicts: VerdictStore
  readonly receipts: ReceiptStore
  readonly stops: OperatorStopStore
  readonly blocks: BlockStore
  readonly policies: PolicyStore
  readonly runs: RunStore
  readonly published: PublishedStore
  readonly parked: ParkedStore
  readonly reevaluations: ReevaluationStore
  readonly statements: StatementStore
  readonly meta: KeyValueStore
  /** Pages of what is kept, for lists. */
  readonly rows: ServiceRowReader & RunRowReader
  /** A number that grows with each commit, and over restarts. Answers of one number are from one state. */
  sequence(): number
  /** Something that is shown with what is kept has changed, and is not kept: the number grows. */
  advance(): void
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
