import { readFile, statfs } from 'node:fs/promises'
import { availableParallelism, freemem, totalmem } from 'node:os'

/** What the machine has, whatever the policy gives away. */
export type MachineResources = {
  /** that new programs could use now */
  readonly memoryBytes: number
  readonly memoryTotalBytes: number
  readonly cpuMillicores: number
  /** free in the file system of the data folder */
  readonly diskBytes: number
}

export interface Machine {
  read(): Promise<MachineResources>
}

/** The machine that the node runs on, as the kernel and the node's own control group report it. */
export function systemMachine(dataDir: string): Machine {
  return {
    async read() {
      const [available, group, disk] = await Promise.all([availableMemory(), groupMemory(), statfs(dataDir)])
      return {
        memoryBytes: Math.min(available, group?.free ?? available),
        memoryTotalBytes: Math.min(totalmem(), group?.limit ?? totalmem()),
        cpuMillicores: availableParallelism() * 1000,
        diskBytes: disk.bavail * disk.bsize,
      }
    },
  }
}

/** What the kernel would give to new programs: free memory and caches that it can drop. */
async function availableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(text)
  return match === null ? freemem() : Number(match[1]) * 1024
}

/** In a container or a service of systemd the group's limit counts, and memory that its file cache holds is free. */
async function groupMemory(): Promise<{ limit: number; free: number } | undefined> {
  for (const [limitFile, usedFile, stat, inactive] of GROUP_FILES) {
    const [limitText, usedText, statText] = await Promise.all([read(limitFile), read(usedFile), read(stat)])
    const [limit, used] = [Number(limitText || Number.NaN), Number(usedText || Number.NaN)]
    // "max", or a number larger than any machine, means no limit
    if (!Number.isFinite(limit) || !Number.isFinite(used) || limit > totalmem()) continue
    const cache = Number(new RegExp(`^${inactive} (\\d+)$`, 'm').exec(statText)?.[1] ?? 0)
    return { limit, free: Math.max(0, limit - used + cache) }
  }
  return undefined
}

/** Inside a container its own group is mounted as the root, for both versions of control groups. */
const GROUP_FILES = [
  ['memory.max', 'memory.current', 'memory.stat', 'inactive_file'],
  ['memory/memory.limit_in_bytes', 'memory/memory.usage_in_bytes', 'memory/memory.stat', 'total_inactive_file'],
] as const

async function read(file: string): Promise<string> {
  return (await readFile(`/sys/fs/cgroup/${file}`, 'utf8').catch(() => '')).trim()
}
