import { mkdtemp, rm } from 'node:fs/promises'
import { stagingPrefix, sweepStaging } from '../base/os/staging-folder.ts'

/** A folder beside a file or folder that is being made: no cleaner of temporary files reads the keys in it. */
export type StagingFolder = AsyncDisposable & { readonly dir: string }

/** Disposing removes it. What a killed process left there, with the key in it, goes first. */
export async function makeStagingFolder(target: string, purpose: 'backup' | 'restore'): Promise<StagingFolder> {
  await sweepStaging(target, purpose)
  const dir = await mkdtemp(stagingPrefix(target, purpose))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
