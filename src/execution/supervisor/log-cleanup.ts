import { join } from 'node:path'
import type { Disk } from '../../base/os/disk.ts'
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
export async function removeOldLogs(disk: Disk, logsDir: string, init: LogCleanupInit): Promise<void> {
  const { journal, isLive, beforeMs, totalBytes } = init
  const ended: { service: string; at: number; bytes: number }[] = []
  let total = 0
  for (const service of await disk.readdir(logsDir).catch(() => [])) {
    const at = endedAt(service)
    if (at !== undefined && at < beforeMs) {
      await removeLogs(service)
      continue
    }
    const bytes = await bytesOf(disk, logDirOf(logsDir, service))
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
      if (!service.endsWith('.removed')) disk.renameSync(logDirOf(logsDir, service), gone)
    } catch {
      return false
    }
    await disk.rm(service.endsWith('.removed') ? logDirOf(logsDir, service) : gone, { recursive: true, force: true })
    return true
  }
}

/** What the files take on a disk: many small ones count, too. */
async function bytesOf(disk: Disk, dir: string): Promise<number> {
  let bytes = BLOCK
  for (const name of await disk.readdir(dir).catch(() => [])) {
    const size = (await disk.stat(join(dir, name)).catch(() => undefined))?.size ?? 0
    bytes += Math.ceil(size / BLOCK) * BLOCK
  }
  return bytes
}
