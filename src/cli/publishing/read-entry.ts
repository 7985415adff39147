import type { PackEntry } from '../../code/index.ts'
import { MAX_SETTINGS_BYTES } from '../../config/index.ts'

/** The text of one of these files; undefined where there is none, or one that no person wrote. */
export async function textOf(entries: readonly PackEntry[], path: string): Promise<string | undefined> {
  const file = entries.find((entry) => entry.path === path)
  if (file === undefined || 'target' in file || file.size > MAX_SETTINGS_BYTES) return undefined
  const pieces: Uint8Array[] = []
  for await (const piece of file.open({})) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** The first bytes of one of these files; none where there is no such file. */
export async function headOf(entries: readonly PackEntry[], path: string): Promise<Uint8Array> {
  const file = entries.find((entry) => entry.path === path)
  if (file === undefined || 'target' in file) return new Uint8Array(0)
  for await (const piece of file.open({})) return piece.subarray(0, 256)
  return new Uint8Array(0)
}
