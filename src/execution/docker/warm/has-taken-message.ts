import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { MESSAGE_FILE, TAKEN_FILE, VOID_FILE } from './bootstrap.ts'

/** Has a program that waited taken its message? It renames it, and so does this: false, and it never will. `own`: its folder. */
export async function hasTakenMessage(own: string): Promise<boolean> {
  const renamed = (from: string, to: string) =>
    rename(join(own, from), join(own, to)).then(
      () => true,
      () => false,
    )
  if (await renamed(MESSAGE_FILE, VOID_FILE)) return false
  return renamed(TAKEN_FILE, TAKEN_FILE)
}
