import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DockerHandle } from '../container-options.ts'

const FILE = 'run.json'

/** Labels of the run that has a container which was there before it: the container's own are of before. */
export type RunRecord = Readonly<Record<string, string>>

/** What a machine that goes down makes void need not be on the disk. */
export async function writeRecord({ socket }: Pick<DockerHandle, 'socket'>, record: RunRecord): Promise<void> {
  const path = join(dirname(socket), FILE)
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Undefined where there is none. */
export async function readRecord({ socket }: Pick<DockerHandle, 'socket'>): Promise<RunRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(dirname(socket), FILE), 'utf8')) as RunRecord
  } catch {
    return undefined
  }
}
