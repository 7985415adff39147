import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { MESSAGE_FILE, TAKEN_FILE, VOID_FILE } from './bootstrap.ts'

/**
 * Has the program of a warm container taken its message? The program takes it by a rename, and so does this: after the
 * answer false it never can. `own`: the container's folder.
 */
export async function hasTakenMessage(own: string): Promise<boolean> {
  const renamed = (from: string, to: string) =>
    rename(join(own, from), join(own, to)).then(
      () => true,
      () => false,
    )
  if (await renamed(MESSAGE_FILE, VOID_FILE)) return false
  return renamed(TAKEN_FILE, TAKEN_FILE)
}
