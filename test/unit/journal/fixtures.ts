import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type Journal, openJournal } from '../../../src/journal/index.ts'
import { NOW_MS } from './records.ts'

export { NOW, NOW_MS, record } from './records.ts'

/** A folder of the test's own; disposing removes it. */
export function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'thundercloud-journal-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function open(path: string, clock = manualClock(NOW_MS)): Journal {
  return openJournal({ path, clock, log: silentLog() })
}

/** A test with a journal in memory and its clock, or with the path of one in a folder of its own. */
export const it = test
  .extend('clock', () => manualClock(NOW_MS))
  .extend('journal', ({ clock, onTestFinished }) => {
    const journal = open(':memory:', clock)
    onTestFinished(() => journal[Symbol.dispose]())
    return journal
  })
  .extend('path', ({ onTestFinished }) => {
    const folder = temporaryFolder()
    onTestFinished(() => folder[Symbol.dispose]())
    return join(folder.path, 'journal.db')
  })
