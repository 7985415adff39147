import { DatabaseSync } from 'node:sqlite'

/** Where a machine of a simulation keeps the journal of its node: a database in memory that outlives the connections to it. */
export interface JournalFile {
  /** What opens it, here and now. */
  readonly path: string
  /**
   * The process that has it open crashed: what it had committed is kept, in a database that it does not have. What it still
   * writes goes into the old one, which nobody reads.
   */
  detach(): void
  close(): void
}

/** `name`: no other machine of this process has it. */
export function createJournalFile(name: string): JournalFile {
  let generation = 0
  const pathOf = () => `file:/${name}.${generation}?vfs=memdb`
  // as long as one connection is open, the content is there
  let keeper = new DatabaseSync(pathOf())
  return {
    get path() {
      return pathOf()
    },
    detach() {
      generation++
      const next = new DatabaseSync(pathOf())
      keeper.exec(`VACUUM INTO '${pathOf()}'`)
      keeper.close()
      keeper = next
    },
    close: () => keeper.close(),
  }
}
