import { formatBytes } from '../../base/text.ts'
import type { Grant } from '../../base/verdict.ts'
import type { Room } from './index.ts'
import type { Job } from './job.ts'

/** What the runs that are under way leave. A version that is to be replaced makes room for its successor. */
export function freeRoom(limits: Room, jobs: Iterable<Job>, replaced?: string): Room {
  let free = limits
  for (const { decided } of jobs) {
    if (decided.service.id === replaced) continue
    const { memoryBytes, cpuMillicores, diskBytes, pids } = decided.grant
    free = {
      memoryBytes: free.memoryBytes - memoryBytes,
      cpuMillicores: free.cpuMillicores - cpuMillicores,
      diskBytes: free.diskBytes - diskBytes,
      pids: free.pids - pids,
      runs: free.runs - 1,
    }
  }
  const { memoryBytes, cpuMillicores, diskBytes, pids, runs } = free
  return {
    memoryBytes: Math.max(0, memoryBytes),
    cpuMillicores: Math.max(0, cpuMillicores),
    diskBytes: Math.max(0, diskBytes),
    pids: Math.max(0, pids),
    runs: Math.max(0, runs),
  }
}

export function fits(grant: Grant, free: Room): boolean {
  return (
    grant.memoryBytes <= free.memoryBytes &&
    grant.cpuMillicores <= free.cpuMillicores &&
    grant.diskBytes <= free.diskBytes &&
    grant.pids <= free.pids &&
    free.runs >= 1
  )
}

export function noRoom(grant: Grant, free: Room): string {
  if (free.runs < 1) return 'as many services as LIMITS.TOTAL.RUNS allows run already'
  if (grant.memoryBytes > free.memoryBytes) {
    return `it needs ${formatBytes(grant.memoryBytes)} of memory and ${formatBytes(free.memoryBytes)} are free`
  }
  if (grant.diskBytes > free.diskBytes) {
    return `it needs ${formatBytes(grant.diskBytes)} of disk and ${formatBytes(free.diskBytes)} are free`
  }
  if (grant.pids > free.pids) return `it needs ${grant.pids} processes and ${free.pids} are free`
  return `it needs ${grant.cpuMillicores} millicores and ${free.cpuMillicores} are free`
}
