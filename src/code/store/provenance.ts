import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CodeProvenance } from '../types.ts'

/** Beside the manifest of a complete code: where it came from, as JSON. It goes when the code goes. */
const PROVENANCE = 'provenance'

/** Only the folder of a code that is not in its place yet is written to: one rename makes all of it appear. */
export async function writeProvenance(folder: string, provenance: CodeProvenance): Promise<void> {
  await writeFile(join(folder, PROVENANCE), JSON.stringify(provenance))
}

/** Undefined where none was noted, or a crash of the machine left half of it: the code is what its hashes say all the same. */
export async function readProvenance(folder: string): Promise<CodeProvenance | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, PROVENANCE), 'utf8')) as CodeProvenance
  } catch {
    return undefined
  }
}
