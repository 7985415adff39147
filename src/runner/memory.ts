import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'

/** /proc tells pages of 4 KiB on every platform that Node's own builds run on, except some arm64 kernels (then it is lower than the truth). */
const PAGE_BYTES = 4096

/** Bytes of a process that are in memory; undefined where the system does not tell. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (platform() !== 'linux') return undefined
  try {
    const [, resident] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')
    return Number(resident) * PAGE_BYTES
  } catch {
    return undefined
  }
}

export function canWatchMemory(): boolean {
  return platform() === 'linux'
}
