import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { cidOfStructure, encodeCanonical } from '../../../protocols/encoding.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type AnnouncementRecord, type Journal, openJournal } from '../../../src/journal/index.ts'

export const NOW_MS = 1_700_000_000_000
export const NOW = NOW_MS / 1000

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

/** A record that hangs together; `number` makes its id. */
export function record(number: number, change: Partial<AnnouncementRecord> = {}): AnnouncementRecord {
  const body = encodeCanonical({ number })
  return {
    id: cidOfStructure(body).toString(),
    kind: 'service',
    author: Uint8Array.of(1, 2, 3),
    name: `name-${number}`,
    seq: 0,
    body,
    sig: new Uint8Array(64).fill(7),
    code: undefined,
    depth: 3,
    proof: new Uint8Array(32).fill(9),
    issued: NOW,
    expires: NOW + 3600,
    receivedAt: NOW_MS + number,
    via: 'gossip',
    from: 'peer',
    own: false,
    redirect: undefined,
    emittedDepth: undefined,
    state: 'live',
    endedBy: undefined,
    predecessor: undefined,
    ...change,
  }
}
