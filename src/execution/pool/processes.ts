import { readdirSync, readFileSync } from 'node:fs'
import { statFields } from '../../base/os/process-identity.ts'
import { cpuTicksOf, type RunProcess } from '../host/processes.ts'

/** `inner`: its pid in the process namespace of the run; undefined where it is in none of its own. */
export type PoolProcess = RunProcess & { readonly inner: number | undefined }

/**
 * The processes of a run, asked by its shim: those of its user, which no other run of the pool is, in the namespace below
 * the shim's. By what the kernel says of each: a process can hide the owner of its files.
 */
export function ownProcesses(): PoolProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => describe(Number(name)) ?? [])
}

function describe(pid: number): PoolProcess | undefined {
  let status = ''
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return undefined
  }
  const field = (name: string) =>
    new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/).map(Number) ?? []
  if (field('Uid')[0] !== process.getuid?.()) return undefined
  const fields = statFields(pid)
  if (fields === undefined) return undefined
  const number = (index: number) => Number(fields[index] ?? 0)
  return {
    pid,
    parent: number(1),
    cpuTicks: cpuTicksOf(fields),
    rssPages: number(21),
    inner: field('NSpid')[1],
  }
}
