import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'

/** /proc counts pages of 4 KiB on every platform that Node's own builds run on, except some arm64 kernels (then the result is too low). */
const PAGE_BYTES = 4096

/** Bytes of a process that are in memory; undefined if the system does not report it. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (platform() !== 'linux') return undefined
  try {
    const [, resident] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')
    return Number(resident) * PAGE_BYTES
  } catch {
    return undefined
  }
}

/** How long, in ms, the process was ready to go on and no processor was free for it; 0 if the system does not report it. */
export async function waitedForCpuMs(pid: number): Promise<number> {
  const [, waitedNs] = (await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '')).split(' ')
  return Number(waitedNs ?? 0) / 1e6
}

export function canWatchMemory(): boolean {
  return platform() === 'linux'
}
