import { chown } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { findProgram, runProcess } from '../../process/index.ts'
import { UNPACK_MS, UNPACK_UID } from '../constants.ts'

/** The user that reads archives: one without any right, if the node is root; undefined: the node's own user. */
export function unpackUser(): number | undefined {
  return process.getuid?.() === 0 ? UNPACK_UID : undefined
}

export async function chownToUnpackUser(folder: string): Promise<void> {
  const user = unpackUser()
  if (user !== undefined) await chown(folder, user, user)
}

/** When the process has ended: what it wrote is given to the node, so that no other user can change it. Links are not followed. */
export async function reclaimOwnership(clock: Clock, folder: string, signal: AbortSignal | undefined): Promise<void> {
  if (unpackUser() === undefined) return
  const program = findProgram('chown')
  if (program === undefined) throw new UnavailableError('chown is missing: install coreutils')
  const args = ['-R', '-h', `0:${process.getgid?.() ?? 0}`, '--', folder]
  const { exitCode, stderr } = await runProcess(
    clock,
    { kind: 'tool', program, args },
    { timeoutMs: UNPACK_MS, signal },
  )
  if (exitCode === 0) return
  throw new UnavailableError(
    `what was unpacked cannot be taken over: ${sanitizeText(stderr.trim().split('\n')[0] ?? '')}`,
  )
}
