import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, vi } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { CHECKPOINT_PAGES, MAX_LOG_FACTOR, PAGE_BYTES, WRITES_PER_LOOK } from '../../../src/journal/constants.ts'
import { type Journal, openJournal } from '../../../src/journal/index.ts'
import { it } from './fixtures.ts'

/** Of one write below. */
const PAGES = 32
const WRITES = Math.ceil(CHECKPOINT_PAGES / PAGES) + WRITES_PER_LOOK

function openFile(path: string): { journal: Journal; lines: string[] } {
  const lines: string[] = []
  const log = createLog({ level: 'warn', write: (line) => void lines.push(line) })
  const journal = openJournal({ path, clock: manualClock(), log })
  onTestFinished(() => journal[Symbol.dispose]())
  return { journal, lines }
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 100 })

/** A journal that is written on: the length of the log is looked at then. */
const soonCopied = (journal: Journal) =>
  soon(() => {
    for (let count = 0; count < WRITES_PER_LOOK; count++) journal.meta.set('small', `${count}`)
    expect(pages(journal.path).missing).toBeLessThan(CHECKPOINT_PAGES)
  })

let number = 0
function write(journal: Journal, writes: number): void {
  for (let count = 0; count < writes; count++) {
    journal.meta.set(`key ${number++ % WRITES}`, randomBytes(PAGES * 2048).toString('hex'))
  }
}

/** Pages of the log, and those that are not in the file yet. */
function pages(path: string): { all: number; missing: number } {
  using database = new DatabaseSync(path)
  const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(NOOP)').get() as Record<string, number>
  return { all: log as number, missing: (log as number) - (checkpointed as number) }
}

it('the journal: what is written goes into the file, from another thread', async ({ path }) => {
  const { journal, lines } = openFile(path)
  write(journal, WRITES)
  await soonCopied(journal)
  expect(lines).toEqual([])
})

it('the journal: a log that was copied begins anew', async ({ path }) => {
  const { journal } = openFile(path)
  for (let round = 0; round < 4; round++) {
    write(journal, WRITES)
    await soonCopied(journal)
  }
  expect(pages(path).all).toBeLessThan(2.5 * WRITES * (PAGES + 2))
})

it('the journal: closed during a checkpoint it leaves one file, whole', async ({ path }) => {
  const { journal } = openFile(path)
  write(journal, WRITES)
  await journal[Symbol.asyncDispose]()
  expect(existsSync(`${path}-wal`)).toBe(false)
  using database = new DatabaseSync(path)
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  expect(database.prepare("SELECT count(*) AS count FROM meta WHERE key <> 'openings'").get()).toEqual({
    count: WRITES,
  })
})

it('the journal: a process that only closes it during a checkpoint ends when it is closed', ({ path }) => {
  const modules = ['journal/index.ts', 'base/clock.ts', 'base/log.ts'].map((file) =>
    JSON.stringify(new URL(`../../../src/${file}`, import.meta.url).href),
  )
  const script = `
    const [{ openJournal }, { systemClock }, { silentLog }] = await Promise.all([${modules}].map((url) => import(url)))
    const journal = openJournal({ path: ${JSON.stringify(path)}, clock: systemClock(), log: silentLog() })
    for (let key = 0; key < ${WRITES}; key++) journal.meta.set('key ' + key, 'x'.repeat(${PAGES * 4096}))
    await journal[Symbol.asyncDispose]()
    console.log('closed')`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  expect({ stdout, stderr, status }).toEqual({ stdout: 'closed\n', stderr: '', status: 0 })
})

it('the journal: a checkpoint that fails is reported, and the log does not grow for ever', async ({ path }) => {
  const { journal, lines } = openFile(path)
  renameSync(path, `${path}-moved`)
  write(journal, 5 * WRITES)
  await soon(() => expect(lines.join()).toContain('a checkpoint of the journal failed'))
  expect(statSync(`${path}-wal`).size).toBeLessThan(1.5 * MAX_LOG_FACTOR * CHECKPOINT_PAGES * PAGE_BYTES)
})
