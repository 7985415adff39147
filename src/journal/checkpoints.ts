import { once } from 'node:events'
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import {
  CHECKPOINT_PAGES,
  CHECKPOINT_PASSES,
  LOG_SHARE_OF_FREE,
  MAX_LOG_FACTOR,
  MIN_CHECKPOINT_PAGES,
  PAGE_BYTES,
  WRITES_PER_LOOK,
} from './constants.ts'

/** A connection of its own. A passive checkpoint waits for nobody, and nobody waits for it. */
const CHECKPOINT = `
  const { workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(new URL(workerData))
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  for (let pass = 0; pass < ${CHECKPOINT_PASSES}; pass++) {
    const { log, checkpointed } = checkpoint.get()
    if (log === checkpointed) break
  }
  database.close()
`

export interface Checkpoints {
  /** Something was written. */
  written(): void
  /** Resolves when no checkpoint is on its way. */
  idle(): Promise<void>
}

/**
 * Copies the write-ahead log into the file from a thread that lives as long as the checkpoint. It waits for the disk
 * twice; in the main thread everything would wait with it, for longer than a service takes to be decided on.
 */
export function createCheckpoints(database: DatabaseSync, { path, log }: { path: string; log: Log }): Checkpoints {
  const limit = pagesPerCheckpoint(path)
  // the second cuts the file of the log back, so that one burst does not keep the disk for ever
  database.exec(
    `PRAGMA wal_autocheckpoint = ${MAX_LOG_FACTOR * limit}; PRAGMA journal_size_limit = ${limit * PAGE_BYTES}`,
  )
  const length = database.prepare('PRAGMA wal_checkpoint(NOOP)')
  let writes = 0
  let current: { readonly thread: Worker; readonly done: Promise<unknown> } | undefined

  /** What failed is tried again, and a disk that stays full is reported by the writes. */
  const failed = (error: unknown) => log.warn('a checkpoint of the journal failed', { reason: messageOf(error) })

  function begin(): void {
    try {
      const thread = new Worker(CHECKPOINT, {
        eval: true,
        // of a file that is there: without it, none is made
        workerData: `${pathToFileURL(path)}?mode=rw`,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
      })
      thread.unref()
      const done = once(thread, 'exit')
        .catch(failed)
        .finally(() => {
          current = undefined
        })
      current = { thread, done }
    } catch (error) {
      failed(error)
    }
  }

  return {
    written() {
      writes++
      if (writes % WRITES_PER_LOOK !== 0 || current !== undefined) return
      const { log: pages, checkpointed } = length.get() as { log: number; checkpointed: number }
      if (pages - checkpointed < limit) return
      begin()
    },
    async idle() {
      // nothing else may keep the process
      current?.thread.ref()
      await current?.done
    },
  }
}

function pagesPerCheckpoint(path: string): number {
  // a database in memory, which has no disk: the journal of a simulated node
  if (path.startsWith('file:')) return CHECKPOINT_PAGES
  const { bavail, bsize } = statfsSync(dirname(path))
  const room = Math.floor((bavail * bsize * LOG_SHARE_OF_FREE) / PAGE_BYTES)
  return Math.min(Math.max(room, MIN_CHECKPOINT_PAGES), CHECKPOINT_PAGES)
}
