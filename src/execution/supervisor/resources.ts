import { formatBytes } from '../../base/format.ts'
import type { Grant } from '../../base/verdict.ts'
import type { Resources } from './types.ts'

const BESIDE_OLDER =
  'beside the previous version, which runs until this one is healthy; it waits for capacity, and `thundercloud update --replace` stops that version first'

/** Why an older version ends that ends by itself again and again. */
export const NEWER_VERSION_RUNS = 'a newer version is here, and this one kept failing'
export const NEWER_VERSION_STARTS = 'a newer version of it starts, and only one version at a time may use its data'

/** A run and what it holds. */
type Holder = { readonly service: string; readonly grant: Grant }

/** What the runs that are under way leave; those in `going` count as gone. */
export function freeResources(
  limits: Resources,
  holders: Iterable<Holder>,
  going: readonly (string | undefined)[] = [],
): Resources {
  let free = limits
  for (const { service, grant } of holders) {
    if (going.includes(service)) continue
    const { memoryBytes, cpuMillicores, diskBytes, pids } = grant
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

/**
 * The runs that have to end for a grant, as few as it takes: those that leave anyhow, then those that are offered. Where
 * not even all of them make it fit, what is missing. An older version holds what it has until the new one is healthy.
 */
export function capacityFor(
  grant: Grant,
  about: {
    limits: Resources
    runs: readonly Holder[]
    /** end for another one already, whose they will be */
    leaving: readonly string[]
    offered: readonly string[]
    older: readonly string[]
  },
): { evicts: readonly string[] } | { shortage: string } {
  const { limits, runs, leaving, offered, older } = about
  const freeWithout = (going: readonly string[]) => freeResources(limits, runs, going)
  const runsHere = (id: string) => runs.some(({ service }) => service === id)
  const evictable = [...leaving, ...offered.filter((id) => runsHere(id) && !leaving.includes(id))]
  const evicts = selectEvictions(grant, evictable, freeWithout)
  if (evicts !== undefined) return { evicts }
  const lacks = shortageMessage(grant, freeWithout(evictable))
  const beside = older.some(runsHere) && fits(grant, freeWithout([...evictable, ...older]))
  return { shortage: beside ? `${lacks} ${BESIDE_OLDER}` : lacks }
}

function fits(grant: Grant, free: Resources): boolean {
  return (
    grant.memoryBytes <= free.memoryBytes &&
    grant.cpuMillicores <= free.cpuMillicores &&
    grant.diskBytes <= free.diskBytes &&
    grant.pids <= free.pids &&
    free.runs >= 1
  )
}

/** The first of `offered` that have to end for the grant to fit; undefined where not even all of them free enough. */
function selectEvictions(
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

function shortageMessage(grant: Grant, free: Resources): string {
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
