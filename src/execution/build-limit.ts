import { inodesFor } from './constants.ts'
import type { Plan } from './types.ts'

/** How a system and its programs say that a disk is full. */
export const DISK_FULL = /ENOSPC|No space left on device|EDQUOT/i

export const NODE_DISK_FULL = 'the disk of the node is full'

export function codeTooLargeText(bytes: number): string {
  return `the code does not fit into the ${bytes} bytes or ${inodesFor(bytes)} files of disk that its build was granted`
}

/** The sentence for a build, or a run, that met the limit of its disk. */
export function overDiskText(bytes: number, purpose: Plan['purpose'] = 'build'): string {
  return `the ${purpose} wrote more than the ${bytes} bytes or ${inodesFor(bytes)} files of disk that were granted`
}
