import { formatBytes } from '../../base/format.ts'
import type { Grant } from '../../base/verdict.ts'
import type { Resources } from './types.ts'
import type { RunWorker } from './worker-types.ts'

/** What the runs that are under way leave; those in `going` count as gone. */
export function freeResources(
  limits: Resources,
  workers: Iterable<RunWorker>,
  going: readonly (string | undefined)[] = [],
): Resources {
  let free = limits
  for (const { spec } of workers) {
    if (going.includes(spec.service.id)) continue
    const { memoryBytes, cpuMillicores, diskBytes, pids } = spec.grant
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

export function fits(grant: Grant, free: Resources): boolean {
  return (
    grant.memoryBytes <= free.memoryBytes &&
    grant.cpuMillicores <= free.cpuMillicores &&
    grant.diskBytes <= free.diskBytes &&
    grant.pids <= free.pids &&
    free.runs >= 1
  )
}

/** The first of `offered` that have to end for the grant to fit; undefined where not even all of them free enough. */
export function selectEvictions(
  grant: Grant,
  offered: readonly string[],
  freeWithout: (going: readonly string[]) => Resources,
): readonly string[] | undefined {
  for (let count = 0; count <= offered.length; count++) {
    const going = offered.slice(0, count)
    if (fits(grant, freeWithout(going))) return going
  }
  return undefined
}

export function shortageMessage(grant: Grant, free: Resources): string {
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
