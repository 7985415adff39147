import { renameSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FINAL_STATES, type RunJournal } from '../journal.ts'
import { logDirOf } from './run-spec.ts'

const BLOCK = 4096

type LogCleanupInit = {
  readonly journal: RunJournal
  /** its logs stay, whatever the journal says */
  readonly isLive: (service: string) => boolean
  /** logs that ended before are removed */
  readonly beforeMs: number
  /** of all logs together; the oldest that ended go first */
  readonly totalBytes: number
}

/** Removes the logs of services that ended long ago, of those that no journal knows, and what is above the bound. */
export async function removeOldLogs(logsDir: string, init: LogCleanupInit): Promise<void> {
  const { journal, isLive, beforeMs, totalBytes } = init
  const ended: { service: string; at: number; bytes: number }[] = []
  let total = 0
  for (const service of await readdir(logsDir).catch(() => [])) {
    const at = endedAt(service)
    if (at !== undefined && at < beforeMs) {
      await removeLogs(service)
      continue
    }
    const bytes = await bytesOf(logDirOf(logsDir, service))
    total += bytes
    if (at !== undefined) ended.push({ service, at, bytes })
  }
  for (const { service, bytes } of ended.sort((a, b) => a.at - b.at)) {
    if (total <= totalBytes) return
    if (await removeLogs(service)) total -= bytes
  }

  /** undefined: it runs, or will */
  function endedAt(service: string): number | undefined {
    if (isLive(service)) return undefined
    const record = journal.ofService(service)
    if (record === undefined) return Number.NEGATIVE_INFINITY
    return FINAL_STATES.includes(record.state) ? record.updatedAt : undefined
  }

  /** The name is free at once: a run that begins meanwhile writes into a new folder. */
  async function removeLogs(service: string): Promise<boolean> {
    if (endedAt(service) === undefined) return false
    const gone = `${logDirOf(logsDir, service)}.removed`
    try {
      if (!service.endsWith('.removed')) renameSync(logDirOf(logsDir, service), gone)
    } catch {
      return false
    }
    await rm(service.endsWith('.removed') ? logDirOf(logsDir, service) : gone, { recursive: true, force: true })
    return true
  }
}

/** What the files take on a disk: many small ones count, too. */
async function bytesOf(dir: string): Promise<number> {
  let bytes = BLOCK
  for (const name of await readdir(dir).catch(() => [])) {
    const size = (await stat(join(dir, name)).catch(() => undefined))?.size ?? 0
    bytes += Math.ceil(size / BLOCK) * BLOCK
  }
  return bytes
}
