import { readdirSync } from 'node:fs'
import { statFields } from '../../base/os/process-identity.ts'

/** Fields of /proc/<pid>/stat are counted in these. The kernel gives programs 100 a second and 4096 bytes on every Linux that Node runs on, but for pages on some ARM. */
const TICK_MS = 10
const PAGE_BYTES = 4096
/** user and system time */
const OWN_CPU = [11, 12]
const CHILDREN_CPU = [13, 14]

export type RunProcess = {
  readonly pid: number
  readonly parent: number
  /** with the time of the children that it has waited for */
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

/** The processor time of the children that this process has waited for, and of those for which they have. */
export function childrenCpuMs(): number {
  const fields = statFields('self') ?? []
  return CHILDREN_CPU.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0) * TICK_MS
}

/** Of the fields of /proc/<pid>/stat behind the name. */
export function cpuTicksOf(fields: readonly string[]): number {
  return [...OWN_CPU, ...CHILDREN_CPU].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0)
}

function children(child: number | undefined): number[] {
  return child === undefined ? [] : [child]
}

function describe(pid: number): RunProcess | undefined {
  const fields = statFields(pid)
  if (fields === undefined) return undefined
  const number = (index: number) => Number(fields[index] ?? 0)
  return { pid, parent: number(1), cpuTicks: cpuTicksOf(fields), rssPages: number(21) }
}
