import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** A folder beside a file or folder that is being made: there is room for it, and no cleaner of temporary files reads keys. */
export type Stage = AsyncDisposable & { readonly dir: string }

/** Disposing removes it. What a killed process left there, with the key in it, goes first. */
export async function makeStage(target: string, purpose: 'backup' | 'restore'): Promise<Stage> {
  const parent = dirname(target)
  const prefix = `.${basename(target)}.${purpose}-`
  const left = (await readdir(parent)).filter((name) => name.startsWith(prefix))
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })))
  const dir = await mkdtemp(join(parent, prefix))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
