import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunFiles, readJson, runFiles } from '../host/run-files.ts'
import type { PoolRunSpec } from './prepare.ts'

/** What a run was begun with, or was to be. */
export async function specOf({ plan, taken, void: voided }: RunFiles): Promise<PoolRunSpec | undefined> {
  for (const file of [taken, plan, voided]) {
    const found = await readJson<PoolRunSpec>(file)
    if (found !== undefined) return found
  }
  return undefined
}

/** The runs that have begun and not ended. */
export async function runsIn(dir: string): Promise<PoolRunSpec[]> {
  const found = (await foldersIn(dir)).map(async ({ files }) => {
    const [taken, end] = await Promise.all([readJson<PoolRunSpec>(files.taken), readJson(files.end)])
    return taken === undefined || end !== undefined ? [] : [taken]
  })
  return (await Promise.all(found)).flat()
}

/** The runs that have what a service keeps, until they are removed: the names of their folders. */
export async function usersOf(dir: string, service: string): Promise<string[]> {
  const found = (await foldersIn(dir)).map(async ({ id, files }) =>
    (await specOf(files))?.data === service ? [id] : [],
  )
  return (await Promise.all(found)).flat()
}

async function foldersIn(dir: string): Promise<{ id: string; files: RunFiles }[]> {
  const ids = await readdir(dir).catch(() => [])
  return ids.map((id) => ({ id, files: runFiles(join(dir, id)) }))
}
