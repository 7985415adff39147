import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DockerHandle } from '../container-options.ts'

const FILE = 'run.json'

/** The labels of a run in a warm container. An engine cannot change those of the container, which was made before the run. */
export type RunLabels = Readonly<Record<string, string>>

/** Not synced: the container does not survive what would lose the file. */
export async function writeRunLabels({ socket }: Pick<DockerHandle, 'socket'>, record: RunLabels): Promise<void> {
  const path = join(dirname(socket), FILE)
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Undefined where there is none. */
export async function readRunLabels({ socket }: Pick<DockerHandle, 'socket'>): Promise<RunLabels | undefined> {
  try {
    return JSON.parse(await readFile(join(dirname(socket), FILE), 'utf8')) as RunLabels
  } catch {
    return undefined
  }
}
