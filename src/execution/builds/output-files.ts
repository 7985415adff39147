import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { TreeSummary } from './output-tree.ts'

/**
 * The layout of the folder of builds. An output is complete, because a rename put its description there when the rest of it
 * was done; a folder without one is garbage of a node that was killed. Nothing is flushed (fsync): what a power failure takes
 * is found by the digest when the output is used.
 *
 *   <id>/code/         what the build was given, and made of it
 *   <id>/output.json   what that is; its modification time is the last use
 *   <id>/pins/<runId>  a run that uses it
 *   <runId>/           of an earlier version: the code of one run
 */
const OUTPUT = 'output.json'
const PINS = 'pins'

export const codeOf = (folder: string): string => join(folder, 'code')
export const outputOf = (folder: string): string => join(folder, OUTPUT)

const description = z.object({
  key: z.string(),
  digest: z.string(),
  bytes: z.number().nonnegative(),
  files: z.number().nonnegative(),
})

export type FoundOutput = TreeSummary & {
  readonly id: string
  readonly key: string
  readonly usedAt: number
  readonly pins: readonly string[]
}

/** The outputs in a folder. Everything else is removed, and pins of runs that are over. */
export async function scanOutputs(dir: string, isUnfinished: (runId: string) => boolean): Promise<FoundOutput[]> {
  await mkdir(dir, { recursive: true, mode: 0o711 })
  const found: FoundOutput[] = []
  for (const id of await readdir(dir)) {
    const folder = join(dir, id)
    const output = await readOutput(folder, id).catch(() => undefined)
    if (output === undefined) {
      if (!isUnfinished(id)) await rm(folder, { recursive: true, force: true })
      continue
    }
    for (const runId of output.pins) if (!isUnfinished(runId)) await removePin(folder, runId)
    found.push({ ...output, pins: output.pins.filter(isUnfinished) })
  }
  return found
}

async function readOutput(folder: string, id: string): Promise<FoundOutput> {
  const text = await readFile(outputOf(folder), 'utf8')
  const { mtimeMs } = await stat(outputOf(folder))
  const pins = await readdir(join(folder, PINS)).catch(() => [])
  return { ...description.parse(JSON.parse(text)), id, usedAt: mtimeMs, pins }
}

export async function writeOutput(folder: string, output: TreeSummary & { readonly key: string }): Promise<void> {
  const { key, digest, bytes, files } = output
  await writeFile(`${outputOf(folder)}.new`, JSON.stringify({ key, digest, bytes, files }), { mode: 0o600 })
  await rename(`${outputOf(folder)}.new`, outputOf(folder))
}

/** First what makes it an output: a part of one is none. */
export async function removeOutput(folder: string): Promise<void> {
  await rm(outputOf(folder), { force: true })
  await rm(folder, { recursive: true, force: true })
}

export async function writePin(folder: string, runId: string): Promise<void> {
  await mkdir(join(folder, PINS), { recursive: true, mode: 0o700 })
  await writeFile(join(folder, PINS, runId), '')
}

export async function removePin(folder: string, runId: string): Promise<void> {
  await rm(join(folder, PINS, runId), { force: true })
}
