import { outOfTime } from '../../../protocols/announcement.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { MAX_STAPLES } from '../../../protocols/limits.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import type { Staples } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { readStatementFile } from '../statement-file.ts'

/** Reads what travels with a service: hub statements, and delegations as its credentials. */
export async function loadStaples(
  { clock, signal }: Pick<Cli, 'clock' | 'signal'>,
  files: readonly { name: string; path: string }[],
): Promise<Staples> {
  const statements: Uint8Array[] = []
  const credentials: Uint8Array[] = []
  for (const { name, path } of files) {
    for (const encoded of await readStatementFile(path, { file: name, signal })) {
      const { kind, body } = decodeStatement(encoded)
      if (outOfTime(body, nowSeconds(clock)) === 'expired') {
        throw new InputError(`${name} has expired, so no node would count it; staple a fresh one, or none`)
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

/** What a hub says of other code helps nobody here: the code has changed since, perhaps by the very file with the word. */
export function tellStrayStaples({ out }: Pick<Cli, 'out'>, { statements }: Staples, code: CID): void {
  for (const encoded of statements) {
    const { kind, body } = decodeStatement(encoded)
    if (kind !== 'attestation' || body.code.equals(code)) continue
    out.note(`Note: a stapled attestation is about the code ${body.code}, but this service has the code ${code}.`)
  }
}
