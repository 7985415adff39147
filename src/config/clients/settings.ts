import { readFile } from 'node:fs/promises'
import type { Env } from '../env.ts'
import type { ClientSettings } from './types.ts'

/** The settings of a person's package managers are theirs: larger files are something else. */
const MAX_BYTES = 1024 * 1024

/** Without a HOME there is nobody whose settings they could be. */
export function clientSettings(env: Env): ClientSettings | undefined {
  const home = env.HOME
  return home === undefined || home === '' ? undefined : { env, home, text }
}

async function text(path: string): Promise<string | undefined> {
  const written = await readFile(path, 'utf8').catch(() => undefined)
  return written !== undefined && written.length <= MAX_BYTES ? written : undefined
}
