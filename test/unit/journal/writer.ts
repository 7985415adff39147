// A child process that writes for as long as it lives, and says after each write what is committed.
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { record } from './fixtures.ts'

const journal = openJournal({ path: process.argv[2] as string, clock: systemClock(), log: silentLog() })
for (let number = Number(process.argv[3]); ; number++) {
  journal.transaction(() => {
    const row = record(number)
    journal.announcements.insert(row)
    journal.heads.put(row.author, row.name, { kind: 'service', seq: 0, id: row.id, forgetAt: 1e15 })
  })
  journal.runs.create({ runId: `${number}`, service: 's', executor: 'host', plan: { number }, at: number })
  journal.runs.update(`${number}`, { at: number, state: 'fetching' })
  process.stdout.write(`${number}\n`)
}
