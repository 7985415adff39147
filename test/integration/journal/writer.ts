// A child process that writes until it is killed, and says after each write what is committed. It never turns its event
// loop, so it looks itself whether the process that started it is still there.
import { writeSync } from 'node:fs'
import { openJournal } from '../../../src/journal/index.ts'
import { system } from '../../fixtures/system.ts'
import { record } from '../../unit/journal/records.ts'

const journal = openJournal({ ...system, path: process.argv[2] as string })
const parent = process.ppid
for (let number = Number(process.argv[3]); process.ppid === parent; number++) {
  journal.transaction(() => {
    const row = record(number)
    journal.announcements.insert(row)
    journal.heads.put(row.author, row.name, { kind: 'service', seq: 0, id: row.id, forgetAt: 1e15 })
  })
  journal.runs.create({ runId: `${number}`, service: 's', executor: 'host', plan: { number }, at: number })
  journal.runs.update(`${number}`, { at: number, state: 'fetching' })
  // blocks when the reader is slow; process.stdout would queue the line for an event loop that never turns
  writeSync(1, `${number}\n`)
}
