import { resolve } from 'node:path'
import { timeWindowError } from '../../../protocols/announcement.ts'
import { MAX_STAPLES } from '../../../protocols/limits.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import type { Staples } from '../files/manifest.ts'
import type { ReadOptions } from '../read.ts'
import { readStatementFile } from './statement-file.ts'

/** Where staples are named: files, relative to `dir`. `option`: of the command line, for messages. */
export type StapleFiles = { readonly dir: string; readonly files: readonly string[]; readonly option?: string }

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
  for (const { path, file } of named.flatMap(filesOf)) {
    for (const encoded of await readStatementFile(path, { file, signal: options.signal })) {
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

function filesOf({ dir, files, option }: StapleFiles): { path: string; file: string }[] {
  return files.map((file) => ({ path: resolve(dir, file), file: option === undefined ? file : `${option} ${file}` }))
}
