import { z } from 'zod'

/** Names inside the archive that is encrypted. */
export const CONTENTS_FILE = 'backup.json'
export const JOURNAL_FILE = 'journal.sqlite'
export const FOLDER = 'folder'

/** Below the folder, whoever wrote it. */
const pathSchema = z.string().refine((path) => path.split('/').every((part) => !['', '.', '..'].includes(part)))

/** What a backup says of itself. Times in whole seconds (UTC). */
export const contentsSchema = z.strictObject({
  format: z.literal(1),
  madeAt: z.int().min(0),
  /** of the program that made it */
  version: z.string(),
  network: z.string(),
  peerId: z.string(),
  address: z.string(),
  /** where the original was reached, each ending in /p2p/<id> */
  multiaddrs: z.array(z.string()),
  /** other nodes of its mesh that it had dialled, or was to dial */
  neighbours: z.array(z.string()),
  /** content ids that its publications need; their bytes are not in the backup */
  codes: z.array(z.string()),
  /** paths in the operator's folder, with their permissions */
  files: z.array(z.strictObject({ path: pathSchema, mode: z.int().min(0).max(0o777) })),
})

export type Contents = z.infer<typeof contentsSchema>
