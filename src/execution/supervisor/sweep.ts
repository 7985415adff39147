import { readdir, rm } from 'node:fs/promises'
import { FINAL_STATES, type RunJournal } from '../journal.ts'
import { logDirOf } from './plan.ts'

/** Removes the logs of services that ended before `beforeMs`, and of those that no journal knows. */
export async function sweepLogs(logsDir: string, journal: RunJournal, beforeMs: number): Promise<void> {
  for (const service of await readdir(logsDir).catch(() => [])) {
    const record = journal.ofService(service)
    const old = record === undefined || (FINAL_STATES.includes(record.state) && record.updatedAt < beforeMs)
    if (old) await rm(logDirOf(logsDir, service), { recursive: true, force: true })
  }
}
