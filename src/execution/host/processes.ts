import { readdirSync } from 'node:fs'
import { statFields } from '../../base/os/process-identity.ts'

/** Fields of /proc/<pid>/stat are counted in these. The kernel gives programs 100 a second and 4096 bytes on every Linux that Node runs on, but for pages on some ARM. */
const TICK_MS = 10
const PAGE_BYTES = 4096

export type RunProcess = {
  readonly pid: number
  readonly parent: number
  readonly cpuTicks: number
  readonly rssPages: number
}

/**
 * The processes of a run, asked by its shim. In a sandbox: all that the shim sees but itself. Without one: the one
 * child, which may start no others.
 */
export function runProcesses(sandboxed: boolean, child: number | undefined): RunProcess[] {
  const pids = sandboxed
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
    : children(child)
  return pids.filter((pid) => pid !== process.pid).flatMap((pid) => describe(pid) ?? [])
}

export function memoryOf(processes: readonly RunProcess[]): number {
  return processes.reduce((sum, { rssPages }) => sum + rssPages, 0) * PAGE_BYTES
}

export function cpuMsOf(processes: readonly RunProcess[]): number {
  return processes.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) * TICK_MS
}

function children(child: number | undefined): number[] {
  return child === undefined ? [] : [child]
}

function describe(pid: number): RunProcess | undefined {
  const fields = statFields(pid)
  if (fields === undefined) return undefined
  const number = (index: number) => Number(fields[index] ?? 0)
  return { pid, parent: number(1), cpuTicks: number(11) + number(12), rssPages: number(21) }
}
