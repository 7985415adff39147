// Ours, not a library: it compares the start time of a process, so that a reused pid after a crash does not lock out the operator.

import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, InputError } from '../errors.ts'
import { isPidInUse, statFields } from './process-identity.ts'

/**
 * One process owns a data folder. The file names the owner's pid and, where the system reports it, when that process
 * began: a pid that another process got after a crash does not lock out the operator.
 */
export async function lockFolder(dataDir: string): Promise<AsyncDisposable> {
  const path = join(dataDir, 'node.pid')
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? ''}\n`
  const draft = `${path}.${process.pid}`
  // linked, not written in place: the file is never seen without its pid
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    for (;;) {
      try {
        await link(draft, path)
        return { [Symbol.asyncDispose]: () => release(path, mine) }
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error
      }
      const owner = await livingOwner(path)
      if (owner !== undefined) {
        throw new InputError(
          `${dataDir} belongs to a running node (pid ${owner}); stop it first, or use another folder`,
        )
      }
      await rm(path, { force: true })
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** The pid of the process that holds a data folder, if one does. */
export async function livingOwner(path: string): Promise<number | undefined> {
  const [pidText = '', began = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0 || !isPidInUse(pid)) return undefined
  const now = startTimeOf(pid)
  // without start times, the own pid in the file is a former process's: in a container every node may be pid 1
  if (began === '' || now === undefined) return pid === process.pid ? undefined : pid
  return now === began ? pid : undefined
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true })
}

/** Clock ticks since boot at which a process began; undefined without /proc. */
function startTimeOf(pid: number): string | undefined {
  return statFields(pid)?.[19]
}
