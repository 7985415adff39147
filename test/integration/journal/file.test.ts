import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { UnavailableError } from '../../../src/base/errors.ts'
import { JournalDamagedError } from '../../../src/journal/index.ts'
import { migrate, schemaVersion } from '../../../src/journal/migrations.ts'
import { it, open, record, temporaryFolder } from '../../unit/journal/fixtures.ts'

const run = (command: string, args: string[]) => spawnSync(command, args).status
const mountSmall = (folder: string, size: string) =>
  run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'thundercloud-test', folder])
const unmount = (folder: string) => run('umount', [folder])

/** Root in a container may still not be allowed to mount. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false
  using folder = temporaryFolder()
  if (mountSmall(folder.path, '1m') !== 0) return false
  return unmount(folder.path) === 0
}

it('the file: keeps everything over a close', ({ path }) => {
  {
    using journal = open(path)
    journal.announcements.insert(record(1))
  }
  using again = open(path)
  expect(again.announcements.get(record(1).id)).toEqual(record(1))
})

it('the file: is whole after kill -9 in the middle of writing, and holds all that was committed', async ({ path }) => {
  let next = 0
  for (let round = 0; round < 3; round++) {
    const committed = await writeAndKill(path, next, 100 + round * 137)
    using journal = open(path)
    const { announcements, heads, runs } = journal
    for (let number = next; number <= committed; number++) {
      const row = record(number)
      expect(announcements.has(row.id)).toBe(true)
      expect(runs.transitions(`${number}`).map(({ state }) => state)).toEqual(['decided', 'fetching'])
    }
    // the write that was cut: both of its parts or neither
    for (const row of announcements.all()) expect(heads.get(row.author, row.name)?.id).toBe(row.id)
    for (const run of runs.all()) expect(runs.transitions(run.runId).at(-1)?.state).toBe(run.state)
    next = announcements.count()
  }
  expect(next).toBeGreaterThan(300)
})

it('the file: refuses a file that is no journal, or a damaged one, with a sentence that names it', () => {
  using folder = temporaryFolder()
  const text = join(folder.path, 'text.db')
  writeFileSync(text, 'this is a text file, and a long one, '.repeat(100))
  expect(() => open(text)).toThrow(JournalDamagedError)
  expect(() => open(text)).toThrow(`the journal ${text} is damaged or no journal at all`)

  const damaged = join(folder.path, 'damaged.db')
  {
    using journal = open(damaged)
    for (let number = 0; number < 200; number++) journal.announcements.insert(record(number))
  }
  const bytes = readFileSync(damaged)
  for (let offset = 4096; offset < bytes.byteLength; offset += 4096) bytes.fill(0xee, offset, offset + 200)
  writeFileSync(damaged, bytes)
  expect(() => open(damaged)).toThrow(`the journal ${damaged} is damaged`)

  mkdirSync(join(folder.path, 'folder.db'))
  expect(() => open(join(folder.path, 'folder.db'))).toThrow('cannot be opened')
  expect(() => open(join(folder.path, 'missing', 'journal.db'))).toThrow('its folder must exist')
})

it('the file: refuses a newer schema and leaves it as it is', ({ path }) => {
  open(path)[Symbol.dispose]()
  const raw = new DatabaseSync(path)
  raw.exec('PRAGMA user_version = 99')
  raw.close()
  expect(() => open(path)).toThrow(/has schema 99, this program knows none above \d+: use the newer thundercloud/)
  const after = new DatabaseSync(path)
  expect(schemaVersion(after)).toBe(99)
  after.close()
})

it('the file: migrates step by step, and a step that fails leaves the one before', () => {
  using database = new DatabaseSync(':memory:')
  migrate(database, 'j', ['CREATE TABLE a (x)'])
  database.exec('INSERT INTO a VALUES (1)')
  const bad = 'CREATE TABLE c (x); INSERT INTO nowhere VALUES (1)'
  expect(() => migrate(database, 'j', ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y', bad])).toThrow('nowhere')
  expect(schemaVersion(database)).toBe(2)
  expect({ ...database.prepare('SELECT * FROM a').get() }).toEqual({ x: 1, y: null })
  expect(database.prepare(`SELECT name FROM sqlite_schema WHERE name = 'c'`).get()).toBeUndefined()
  migrate(database, 'j', ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y', 'CREATE TABLE c (x)'])
  expect(schemaVersion(database)).toBe(3)
})

it('the file: undoes a transaction that throws', ({ journal }) => {
  const work = () =>
    journal.transaction(() => {
      journal.announcements.insert(record(1))
      journal.transaction(() => journal.announcements.insert(record(2)))
      throw new Error('no')
    })
  expect(work).toThrow('no')
  expect(journal.announcements.count()).toBe(0)
  journal.announcements.insert(record(3))
  expect(journal.announcements.count()).toBe(1)
})

describe.skipIf(!canMount())('a full disk (needs root, to mount a small one)', () => {
  it('is an UnavailableError, leaves nothing half written, and works again when there is space', () =>
    onSmallDisk('1m', (disk) => {
      const path = join(disk, 'journal.db')
      writeFileSync(join(disk, 'ballast'), new Uint8Array(200_000))
      using journal = open(path)
      let number = 0
      const write = () =>
        journal.transaction(() => {
          const row = record(number, { body: new Uint8Array(3000) })
          journal.announcements.insert(row)
          journal.heads.put(row.author, row.name, { kind: 'service', seq: 0, id: row.id, forgetAt: 1e15 })
          number++
        })
      let failure: unknown
      while (failure === undefined && number < 5000) {
        try {
          write()
        } catch (error) {
          failure = error
        }
      }
      expect(failure).toBeInstanceOf(UnavailableError)
      expect((failure as Error).message).toContain(path)
      const count = journal.announcements.count()
      for (const row of journal.announcements.all()) expect(journal.heads.get(row.author, row.name)?.id).toBe(row.id)
      spawnSync('rm', [join(disk, 'ballast')])
      write()
      expect(journal.announcements.count()).toBe(count + 1)
    }))

  it('does not come of the write-ahead log: on a small disk the log is copied more often', () =>
    onSmallDisk('40m', (disk) => {
      using journal = open(join(disk, 'journal.db'))
      for (let count = 0; count < 12_000; count++) journal.meta.set('key', `${count}`.padEnd(4000))
      expect(statSync(join(disk, 'journal.db-wal')).size).toBeLessThan(25 * 1024 ** 2)
    }))
})

function onSmallDisk(size: string, work: (disk: string) => void): void {
  using folder = temporaryFolder()
  const disk = join(folder.path, 'disk')
  mkdirSync(disk)
  expect(mountSmall(disk, size)).toBe(0)
  try {
    work(disk)
  } finally {
    unmount(disk)
  }
}

/** Lets the writer run for a while, kills it without warning, and answers the last number that it said it committed. */
function writeAndKill(path: string, first: number, lines: number): Promise<number> {
  const writer = fileURLToPath(new URL('./writer.ts', import.meta.url))
  const child = spawn(process.execPath, [writer, path, `${first}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  })
  return new Promise((resolve) => {
    child.on('close', () => resolve(Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1))))
  })
}
