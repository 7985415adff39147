import { join } from 'node:path'
import { z } from 'zod'
import type { Disk } from '../../base/os/disk.ts'
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
export async function scanOutputs(
  disk: Disk,
  dir: string,
  isUnfinished: (runId: string) => boolean,
): Promise<FoundOutput[]> {
  await disk.mkdir(dir, { recursive: true, mode: 0o711 })
  const found: FoundOutput[] = []
  for (const id of await disk.readdir(dir)) {
    const folder = join(dir, id)
    const output = await readOutput(disk, folder, id).catch(() => undefined)
    if (output === undefined) {
      if (!isUnfinished(id)) await disk.rm(folder, { recursive: true, force: true })
      continue
    }
    for (const runId of output.pins) if (!isUnfinished(runId)) await removePin(disk, folder, runId)
    found.push({ ...output, pins: output.pins.filter(isUnfinished) })
  }
  return found
}

async function readOutput(disk: Disk, folder: string, id: string): Promise<FoundOutput> {
  const text = (await disk.readFile(outputOf(folder))).toString()
  const { mtimeMs } = await disk.stat(outputOf(folder))
  const pins = await disk.readdir(join(folder, PINS)).catch(() => [])
  return { ...description.parse(JSON.parse(text)), id, usedAt: mtimeMs, pins }
}

export async function writeOutput(
  disk: Disk,
  folder: string,
  output: TreeSummary & { readonly key: string },
): Promise<void> {
  const { key, digest, bytes, files } = output
  await disk.writeFile(`${outputOf(folder)}.new`, JSON.stringify({ key, digest, bytes, files }), { mode: 0o600 })
  await disk.rename(`${outputOf(folder)}.new`, outputOf(folder))
}

/** First what makes it an output: a part of one is none. */
export async function removeOutput(disk: Disk, folder: string): Promise<void> {
  await disk.rm(outputOf(folder), { force: true })
  await disk.rm(folder, { recursive: true, force: true })
}

export async function writePin(disk: Disk, folder: string, runId: string): Promise<void> {
  await disk.mkdir(join(folder, PINS), { recursive: true, mode: 0o700 })
  await disk.writeFile(join(folder, PINS, runId), '')
}

export async function removePin(disk: Disk, folder: string, runId: string): Promise<void> {
  await disk.rm(join(folder, PINS, runId), { force: true })
}
