// Ours, not a library: node:sqlite has a version number and transactions, and that is all that is needed.

import type { DatabaseSync } from 'node:sqlite'
import { InputError } from '../base/errors.ts'
import {
  BLOCKS_SCHEMA,
  CANDIDATES_SCHEMA,
  FIRST_SCHEMA,
  LISTS_SCHEMA,
  PARKED_SCHEMA,
  POLICIES_SCHEMA,
  STATEMENTS_SCHEMA,
  USAGE_HISTORY_SCHEMA,
  USAGE_PERIOD_SCHEMA,
  USAGE_SCHEMA,
} from './schema.ts'

/** Step n brings a journal from schema n to n + 1. Steps are never changed once released, only added. */
const MIGRATIONS: readonly string[] = [
  ...[FIRST_SCHEMA, PARKED_SCHEMA, STATEMENTS_SCHEMA, CANDIDATES_SCHEMA],
  ...[USAGE_SCHEMA, USAGE_PERIOD_SCHEMA, LISTS_SCHEMA, BLOCKS_SCHEMA, USAGE_HISTORY_SCHEMA, POLICIES_SCHEMA],
]

/** Brings the journal to this program's schema, each step whole or not at all. */
export function migrate(database: DatabaseSync, path: string, steps: readonly string[] = MIGRATIONS): void {
  refuseNewer(database, path, steps.length)
  const version = schemaVersion(database)
  for (const [index, step] of steps.entries()) {
    if (index < version) continue
    database.exec('BEGIN EXCLUSIVE')
    try {
      database.exec(step)
      database.exec(`PRAGMA user_version = ${index + 1}`)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}

/** Throws where a newer program wrote the file. */
export function refuseNewer(database: DatabaseSync, path: string, known = MIGRATIONS.length): void {
  const version = schemaVersion(database)
  if (version <= known) return
  throw new InputError(
    `the journal ${path} has schema ${version}, this program knows none above ${known}: use the newer thundercloud that wrote it`,
  )
}

export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}
