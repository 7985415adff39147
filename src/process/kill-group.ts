import type { ChildProcess } from 'node:child_process'
import { errnoOf } from '../base/errors.ts'

/** Ends a process that was started `detached`, and those that it has started. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
