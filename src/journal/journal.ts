import { DatabaseSync } from 'node:sqlite'
import { announcementStore } from './announcements.ts'
import { createCheckpoints } from './checkpoints.ts'
import { BUSY_TIMEOUT_MS, SEQUENCE_PER_OPENING } from './constants.ts'
import { damaged, explainSqlite, JournalDamagedError } from './errors.ts'
import { keyValueStore } from './key-value.ts'
import { runRowReader } from './lists/run-rows.ts'
import { serviceRowReader } from './lists/service-rows.ts'
import { migrate, schemaVersion } from './migrations.ts'
import { blockStore } from './operator/blocks.ts'
import { operatorStopStore } from './operator/operator-stops.ts'
import { policyStore } from './operator/policies.ts'
import { parkedStore } from './parked.ts'
import { createPrune } from './prune.ts'
import { publishedStore } from './published.ts'
import { receiptStore } from './receipts.ts'
import { reevaluationStore } from './reevaluations.ts'
import { runStore } from './runs.ts'
import { sqlOf } from './sql.ts'
import { statementStore } from './statements.ts'
import type { Journal, JournalInit } from './types.ts'
import { verdictStore } from './verdicts.ts'
import { versionHeadStore } from './version-heads.ts'

/** Opens or creates a journal. Throws where the file is newer than this program, damaged, or cannot be written. */
export function openJournal({ path, clock, log, onCommit }: JournalInit): Journal {
  const database = openDatabase(path)
  const checkpoints = createCheckpoints(database, { path, log })
  let sequence = 0
  const sql = sqlOf(database, path, () => {
    sequence++
    checkpoints.written()
    onCommit?.()
  })
  const meta = keyValueStore(sql)
  const opening = Number(meta.get('openings') ?? 0) + 1
  meta.set('openings', String(opening))
  sequence = opening * SEQUENCE_PER_OPENING
  const prune = createPrune(sql)
  const close = () => {
    if (database.isOpen) database.close()
  }
  log.debug('the journal is open', { path, schema: schemaVersion(database) })
  return {
    path,
    announcements: announcementStore(sql),
    heads: versionHeadStore(sql),
    verdicts: verdictStore(sql),
    receipts: receiptStore(sql),
    stops: operatorStopStore(sql),
    blocks: blockStore(sql),
    policies: policyStore(sql),
    runs: runStore(sql),
    published: publishedStore(sql),
    parked: parkedStore(sql),
    reevaluations: reevaluationStore(sql),
    statements: statementStore(sql),
    meta,
    rows: { ...serviceRowReader(sql), ...runRowReader(sql) },
    sequence: () => sequence,
    advance() {
      sequence++
    },
    transaction: (work) => sql.transaction(work),
    prune: (max) => prune.prune(clock.now(), max),
    forgotten: () => prune.forgotten(clock.now()),
    [Symbol.dispose]: close,
    async [Symbol.asyncDispose]() {
      // the last connection takes the log with it
      await checkpoints.idle()
      close()
    },
  }
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    // NORMAL in WAL mode: a commit survives the end of the process at any moment, and the file is never inconsistent;
    // after a power failure the last commits may be missing; they arrive again from neighbours
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    const check = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
    if (check !== 'ok') throw new JournalDamagedError(damaged(path, String(check)))
    migrate(database, path)
    return database
  } catch (error) {
    if (database?.isOpen) database.close()
    throw explainSqlite(error, path)
  }
}
