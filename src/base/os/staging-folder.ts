import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isPidInUse } from './process-identity.ts'

/** A folder beside a file or folder that is being made: no cleaner of temporary files reads the keys in it. */
export type StagingFolder = AsyncDisposable & { readonly dir: string }

/** Disposing removes it. What a killed process left there, with the key in it, goes first. */
export async function makeStagingFolder(target: string, purpose: string): Promise<StagingFolder> {
  await sweepStaging(target, purpose)
  const dir = await mkdtemp(stagingPrefix(target, purpose))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

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
