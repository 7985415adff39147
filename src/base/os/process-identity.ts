import { readFileSync } from 'node:fs'
import { errnoOf } from '../errors.ts'

/** A process for certain: pids are used again, a pid with its start time and the boot it belongs to is not. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: string; readonly bootId: string }

/** undefined when there is no such process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid)
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTicks: fields[19] as string, bootId: bootId() }
}

export function isAlive(id: ProcessIdentity): boolean {
  const now = identify(id.pid)
  return now !== undefined && now.startTicks === id.startTicks && now.bootId === id.bootId
}

/** Sends the signal to this very process, and to no later one of the same pid. */
export function signalProcess(id: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch {
    // it ended between the two lines
  }
}

/** Is there a process with this pid, of any user? It may be a later one than meant. */
export function isPidInUse(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** The fields of /proc/<pid>/stat after the name: [0] state, [1] parent, [19] start time. */
export function statFields(pid: number | 'self'): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
