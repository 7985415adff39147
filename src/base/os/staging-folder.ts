import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isPidInUse } from './process-identity.ts'

/** How a folder begins to be named that this process fills beside `target`: there is room for it, and it can be moved there in one step. */
export function stagingPrefix(target: string, purpose: string): string {
  return join(dirname(target), `${nameBefore(target, purpose)}${process.pid}-`)
}

/** Removes those beside `target` whose process is gone. */
export async function sweepStaging(target: string, purpose: string): Promise<void> {
  const parent = dirname(target)
  const prefix = nameBefore(target, purpose)
  for (const name of await readdir(parent)) {
    const pid = Number(name.slice(prefix.length).split('-')[0])
    if (!name.startsWith(prefix) || !Number.isSafeInteger(pid) || isPidInUse(pid)) continue
    await rm(join(parent, name), { recursive: true, force: true })
  }
}

function nameBefore(target: string, purpose: string): string {
  return `.${basename(target)}.${purpose}-`
}
