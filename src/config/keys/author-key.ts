import type { KeyObject } from 'node:crypto'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ed25519Signer, type Signer } from '../../../protocols/signature.ts'
import { errnoOf, InputError, systemMessageOf } from '../../base/errors.ts'
import type { Env } from '../env.ts'
import { exists, type ReadOptions } from '../read.ts'
import { settingsFolder } from '../user-folders.ts'
import { createKeyFile, newKeyPem, readKeyFile } from './key-file.ts'

/** The default place of a person's key: in the folder that the system has for settings. */
export function defaultKeyPath(env: Env, platform: NodeJS.Platform = process.platform): string {
  return join(settingsFolder(env, platform), 'author.pem')
}

/** The author's signer: the key in `path` (PKCS#8 PEM), which is made on first use. `created` says that it was. */
export async function loadOrCreateKey(
  path: string,
  { file = "the author's key", ...options }: ReadOptions & { file?: string | undefined } = {},
): Promise<{ signer: Signer; key: KeyObject; created: boolean }> {
  const created = !(await exists(path)) && (await create(path, file))
  const key = await readKeyFile(path, file, 'give the path of a key with --key', options)
  return { signer: ed25519Signer(key), key, created }
}

/**
 * Puts a new key in the place of the one in `path`, which is kept in `retired`: the old key has a name at each moment. One that
 * was killed midway is done again.
 */
export async function replaceKey(path: string, retired: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await rm(draft, { force: true })
    const isNew = await keepAs(path, retired)
    try {
      await createKeyFile(draft, newKeyPem())
      await rename(draft, path)
    } catch (error) {
      await rm(draft, { force: true })
      if (isNew) await rm(retired)
      throw error
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new InputError(`${path} cannot be replaced: ${systemMessageOf(error)}; the key that is there stays`, {
      cause: error,
    })
  }
}

/** False where the same key is there already. */
async function keepAs(path: string, retired: string): Promise<boolean> {
  try {
    await link(path, retired)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && (await readFile(path)).equals(await readFile(retired))) return false
    throw error
  }
}

async function create(path: string, file: string): Promise<boolean> {
  try {
    return await createKeyFile(path, newKeyPem())
  } catch (error) {
    if (errnoOf(error) === undefined && !(error instanceof InputError)) throw error
    throw new InputError(
      `${file} cannot be written to ${path}: ${systemMessageOf(error)}; give another path with --key`,
      {
        cause: error,
      },
    )
  }
}
