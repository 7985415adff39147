import { join } from 'node:path'
import type { Disk } from '../../base/os/disk.ts'
import type { CodeProvenance } from '../types.ts'

/** Beside the manifest of a complete code: where it came from, as JSON. It goes when the code goes. */
export const PROVENANCE = 'provenance'

/** Only the folder of a code that is not in its place yet is written to: one rename makes all of it appear. */
export async function writeProvenance(disk: Disk, folder: string, provenance: CodeProvenance): Promise<void> {
  await disk.writeFile(join(folder, PROVENANCE), JSON.stringify(provenance))
}

/** Undefined where none was noted, or a crash of the machine left half of it: the code is what its hashes say all the same. */
export async function readProvenance(disk: Disk, folder: string): Promise<CodeProvenance | undefined> {
  try {
    return JSON.parse((await disk.readFile(join(folder, PROVENANCE))).toString()) as CodeProvenance
  } catch {
    return undefined
  }
}
