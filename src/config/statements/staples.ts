import { resolve } from 'node:path'
import { timeWindowError } from '../../../protocols/announcement.ts'
import { MAX_STAPLES } from '../../../protocols/limits.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import type { Staples } from '../files/manifest.ts'
import type { ReadOptions } from '../read.ts'
import { readStatementFile } from './statement-file.ts'

/** Where staples are named: files, relative to `dir`. */
export type StapleFiles = { readonly dir: string; readonly files: readonly string[] }

/**
 * Reads what travels with a service: hub statements, and delegations as its credentials. One that has expired is an
 * InputError, or left out if no person is there to replace it.
 */
export async function loadStaples(
  clock: Clock,
  named: readonly StapleFiles[],
  options: ReadOptions & { expired?: 'refuse' | 'leave-out' } = {},
): Promise<Staples> {
  const statements: Uint8Array[] = []
  const credentials: Uint8Array[] = []
  for (const { dir, file } of named.flatMap(({ dir, files }) => files.map((file) => ({ dir, file })))) {
    for (const encoded of await readStatementFile(resolve(dir, file), { file, signal: options.signal })) {
      const { kind, body } = decodeStatement(encoded)
      if (timeWindowError(body, nowSeconds(clock)) === 'expired') {
        if (options.expired === 'leave-out') continue
        throw new InputError(`${file} has expired, so no node would count it; staple a fresh one, or none`)
      }
      if (kind === 'delegation') credentials.push(encoded)
      else statements.push(encoded)
    }
  }
  for (const [what, list] of Object.entries({ 'hub statements': statements, delegations: credentials })) {
    if (list.length <= MAX_STAPLES) continue
    throw new InputError(`${list.length} ${what} are stapled; at most ${MAX_STAPLES} travel with a service`)
  }
  return { statements, credentials }
}
