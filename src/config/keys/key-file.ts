import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { systemRng } from '../../base/rng.ts'
import { makeFolder } from '../folders.ts'
import { type ReadOptions, readSecret } from '../read.ts'

/** A new ed25519 key as PKCS#8 PEM text. */
export function newKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** Reads an ed25519 key; throws an InputError if others may read the file too, or if it is not such a key. */
export async function readKeyFile(
  path: string,
  file: string,
  advice: string,
  options: ReadOptions = {},
): Promise<KeyObject> {
  return keyOfPem(await readSecret(path, file, advice, options), file)
}

export function keyOfPem(pem: string, file: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new InputError(`${file} is no key; allowed is an ed25519 private key as PKCS#8 PEM without a passphrase`, {
      cause,
    })
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new InputError(
      `${file} is a key of the kind "${key.asymmetricKeyType}"; allowed is an ed25519 private key as PKCS#8 PEM`,
    )
  }
  return key
}

/**
 * Writes a key that only its owner reads. Whole or not at all, also if the power fails then, and never over another: of two
 * processes that make one at once, the second gets `false` and reads the first's.
 */
export async function createKeyFile(path: string, key: string | Uint8Array): Promise<boolean> {
  const folder = dirname(path)
  await makeFolder(folder, 0o700)
  const temporary = `${path}.${systemRng().uuid()}.new`
  try {
    await writeSecret(temporary, key)
    // link, unlike rename, fails where there is a file already
    await link(temporary, path)
    await using entries = await open(folder, 'r')
    await entries.sync()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

export async function writeSecret(path: string, secret: string | Uint8Array): Promise<void> {
  await using handle = await open(path, 'wx', 0o600)
  await handle.writeFile(secret)
  await handle.sync()
}
