import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultKeyPath, type Env } from '../../config/index.ts'
import { SECRET_NAME } from './redact.ts'

const MAX_FILE_BYTES = 64 * 1024
/** Shorter lines are words like any other. */
const MIN_LENGTH = 8
const SECRET_FILE = /\.(pem|key|token)$|secret|passphrase/i

/** Every secret that is known by where it is: keys and tokens in files, and what the environment or the settings call one. */
export async function knownSecrets(folder: string, env: Env, settings: unknown): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const files = [
    ...names.filter((name) => SECRET_FILE.test(name)).map((name) => join(folder, name)),
    defaultKeyPath(env),
  ]
  const texts = await Promise.all(files.map(readSmall))
  const values = Object.entries(env).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value ?? ''] : []))
  const lines = [...texts, ...values, ...namedIn(settings)]
    .flatMap((text) => text.split(/\s+/))
    .filter((line) => line.length >= MIN_LENGTH)
  // the longest first: one may be a part of another
  return [...new Set(lines)].sort((a, b) => b.length - a.length)
}

/** Texts below a field with a name of a secret. */
function namedIn(value: unknown, named = false): string[] {
  if (typeof value === 'string') return named ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]) => namedIn(item, named || SECRET_NAME.test(name)))
}

async function readSmall(path: string): Promise<string> {
  try {
    const info = await stat(path)
    return info.isFile() && info.size <= MAX_FILE_BYTES ? await readFile(path, 'latin1') : ''
  } catch {
    return ''
  }
}
