import { join } from 'node:path'
import { z } from 'zod'
import type { Disk } from '../base/os/disk.ts'
import type { ResultRecord } from './types.ts'

/**
 * The results on disk. A folder appears by one rename, with all that is in it.
 *
 *   <service>/result.json   what is known of it
 *   <service>/manifest      of the archive, where one is kept
 *   <service>/tar           the canonical tar
 *   temp/                   garbage after a crash
 */
const RECORD = 'result.json'
const TEMP = 'temp'

const recordSchema = z.object({
  v: z.literal(1),
  service: z.string(),
  runId: z.string(),
  author: z.string(),
  code: z.string().optional(),
  size: z.int().min(0),
  files: z.int().min(0),
  complete: z.boolean(),
  detail: z.string().optional(),
  at: z.number(),
  expires: z.number(),
})

/** What is there, and an empty `temp`. What is no result is removed: only this node writes here. */
export async function scanResults(disk: Disk, dir: string): Promise<ResultRecord[]> {
  await disk.rm(join(dir, TEMP), { recursive: true, force: true })
  await disk.mkdir(join(dir, TEMP), { recursive: true, mode: 0o700 })
  const found: ResultRecord[] = []
  for (const name of await disk.readdir(dir)) {
    if (name === TEMP) continue
    const record = await readRecord(disk, join(dir, name), name)
    if (record === undefined) await disk.rm(join(dir, name), { recursive: true, force: true })
    else found.push(record)
  }
  return found
}

async function readRecord(disk: Disk, folder: string, name: string): Promise<ResultRecord | undefined> {
  try {
    const record = recordSchema.parse(JSON.parse((await disk.readFile(join(folder, RECORD))).toString()))
    const isWhole = record.code === undefined || (await disk.stat(join(folder, 'tar'))).size === record.size
    return record.service === name && isWhole ? record : undefined
  } catch {
    return undefined
  }
}

export interface ResultFiles {
  folder(service: string): string
  /** An empty folder of which nothing is left after a crash. */
  temp(): Promise<string>
  /** Makes the folder that of the record's result, in the place of one that is there. */
  commit(folder: string, record: ResultRecord): Promise<void>
  remove(service: string): Promise<void>
}

export function createResultFiles(disk: Disk, dir: string): ResultFiles {
  let folders = 0
  const temporary = () => join(dir, TEMP, `${folders++}`)

  /** Out of sight at once, then its bytes. */
  async function discard(service: string): Promise<void> {
    const trash = temporary()
    await disk.rename(join(dir, service), trash).catch(() => {})
    await disk.rm(trash, { recursive: true, force: true })
  }

  return {
    folder: (service) => join(dir, service),
    async temp() {
      const folder = temporary()
      await disk.mkdir(folder, { mode: 0o700 })
      return folder
    },
    async commit(folder, record) {
      await using file = await disk.open(join(folder, RECORD), 'w', 0o600)
      await file.writeFile(JSON.stringify(record))
      await file.sync()
      await discard(record.service)
      await disk.rename(folder, join(dir, record.service))
    },
    remove: discard,
  }
}
