import { DatabaseSync } from 'node:sqlite'

/**
 * So often is a journal on its disk for sure, where a power cut may come. A node syncs after hundreds of commits, and the
 * kernel after half a minute: a short scenario would see neither.
 */
const COMMITS_PER_SYNC = 16

/** Where a machine of a simulation keeps the journal of its node: a database in memory that outlives the connections to it. */
export interface JournalFile {
  /** What opens it, here and now. */
  readonly path: string
  /** Its process has committed something. */
  committed(): void
  /** Its process has closed it. */
  closed(): void
  /**
   * The process that has it open crashed: what it had committed is kept, in a database that it does not have. What it still
   * writes goes into the old one, which nobody reads.
   */
  detach(): void
  /** The same, and what was committed after the last sync is lost. */
  powerCut(): void
  close(): void
}

type JournalFileInit = {
  /** no other machine of this process has it */
  readonly name: string
  /** a power cut may come */
  readonly loses: boolean
}

export function createJournalFile({ name, loses }: JournalFileInit): JournalFile {
  let [generation, copies, commits] = [0, 0, 0]
  const pathOf = () => `file:/${name}.${generation}?vfs=memdb`
  // as long as one connection is open, the content is there
  let keeper = new DatabaseSync(pathOf())
  let synced: DatabaseSync | undefined

  function copyOf(database: DatabaseSync | undefined, path: string): DatabaseSync {
    const copy = new DatabaseSync(path)
    database?.exec(`VACUUM INTO '${path}'`)
    return copy
  }
  function sync(): void {
    if (!loses) return
    synced?.close()
    synced = copyOf(keeper, `file:/${name}.synced.${copies++}?vfs=memdb`)
  }
  /** The next process has what this database has. */
  function replaceBy(database: DatabaseSync | undefined): void {
    generation++
    const next = copyOf(database, pathOf())
    keeper.close()
    keeper = next
  }

  return {
    get path() {
      return pathOf()
    },
    committed() {
      if (++commits % COMMITS_PER_SYNC === 0) sync()
    },
    closed: sync,
    detach: () => replaceBy(keeper),
    powerCut: () => replaceBy(synced),
    close() {
      synced?.close()
      keeper.close()
    },
  }
}
