import { backup, DatabaseSync } from 'node:sqlite'
import { explainSqlite } from '../errors.ts'
import { refuseNewer } from '../migrations.ts'

/** All pages in one step: a node that writes meanwhile would have a copy in several steps begin again and again. */
const ALL_PAGES = 2 ** 30

/** Copies a journal as it is at one moment, also while a node writes to it. Throws where it is newer than this program, or damaged. */
export async function backupJournal(path: string, target: string): Promise<void> {
  let source: DatabaseSync | undefined
  try {
    source = new DatabaseSync(path, { readOnly: true })
    refuseNewer(source, path)
    await backup(source, target, { rate: ALL_PAGES })
  } catch (error) {
    throw explainSqlite(error, path)
  } finally {
    if (source?.isOpen) source.close()
  }
}
