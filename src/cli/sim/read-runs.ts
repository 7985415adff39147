import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { exists } from '../../config/index.ts'
import { type Results, readOutputFolder } from '../../simulation/index.ts'

/** One run, or one for each seed. All are complete. */
export async function readRuns(folder: string, signal: AbortSignal): Promise<Results[]> {
  if (await exists(join(folder, 'results.json'))) return [await readRun(folder, signal)]
  const names = await readdir(folder).catch(() => [] as string[])
  const runs: Results[] = []
  for (const name of names.sort()) {
    if (await exists(join(folder, name, 'results.json'))) runs.push(await readRun(join(folder, name), signal))
  }
  if (runs.length > 0) return runs
  throw new InputError(
    `${folder} has no results.json, nor a folder that has; name a folder of \`sim run --out\` or of a sweep's runs/`,
  )
}

async function readRun(folder: string, signal: AbortSignal): Promise<Results> {
  signal.throwIfAborted()
  const { results } = await readOutputFolder(folder)
  if (results.complete) return results
  throw new InputError(
    `${folder} holds a run that was interrupted, which compares with nothing; run it again with \`sim run\``,
  )
}
