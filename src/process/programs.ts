import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Where programs of the system are; what a shell's PATH says decides nothing. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin']

/** The absolute path of a program of the system; `name` may be one already. */
export function findProgram(name: string): string | undefined {
  const candidates = isAbsolute(name) ? [name] : FOLDERS.map((folder) => join(folder, name))
  return candidates.find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
