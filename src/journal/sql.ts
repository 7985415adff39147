import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { explainSqlite } from './errors.ts'

/** A prepared statement. Rows come back as the statement's SELECT names them; the caller knows their shape. */
export interface Statement {
  /** How many rows changed. */
  run(...values: SQLInputValue[]): number
  get<Row>(...values: SQLInputValue[]): Row | undefined
  /** Values by position, or by name in one object. */
  all<Row>(...values: SQLInputValue[] | [Record<string, SQLInputValue>]): Row[]
}

/** What the stores are built on: every statement is prepared once, every failure names the file. */
export interface Sql {
  prepare(text: string): Statement
  /** All of `work` or nothing. Inside another transaction it is a part of that one. */
  transaction<T>(work: () => T): T
}

/** `written` is called after each commit of a writer. */
export function sqlOf(database: DatabaseSync, path: string, written = () => {}): Sql {
  const guard = <T>(call: () => T): T => {
    try {
      return call()
    } catch (error) {
      throw explainSqlite(error, path)
    }
  }
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  return {
    prepare(text) {
      const statement = guard(() => database.prepare(text))
      return {
        run(...values) {
          const changes = guard(() => Number(statement.run(...values).changes))
          if (!database.isTransaction) written()
          return changes
        },
        get: <Row>(...values: SQLInputValue[]) => guard(() => statement.get(...values) as Row | undefined),
        all: <Row>(...values: SQLInputValue[] | [Record<string, SQLInputValue>]) =>
          guard(() => statement.all(...(values as SQLInputValue[])) as Row[]),
      }
    },
    transaction(work) {
      if (database.isTransaction) return work()
      guard(() => begin.run())
      try {
        const result = work()
        guard(() => commit.run())
        written()
        return result
      } catch (error) {
        // SQLite itself rolls back when the disk is full; a second ROLLBACK would hide the first error
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
  }
}
