import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that is removed when its scope ends. */
export async function folder(): Promise<{ path: string; in: (...names: string[]) => string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'thundercloud-config-'))
  return {
    path,
    in: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export const ROOT = join(import.meta.dirname, '..', '..', '..')
