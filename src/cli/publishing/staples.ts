import type { CID } from '../../../protocols/encoding.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import type { Staples } from '../../config/index.ts'
import type { Cli } from '../cli.ts'

/** What a hub says of other code helps nobody here: the code has changed since, perhaps by the very file with the word. */
export function noteStrayStaples({ out }: Pick<Cli, 'out'>, { statements }: Staples, code: CID): void {
  for (const encoded of statements) {
    const { kind, body } = decodeStatement(encoded)
    if (kind !== 'attestation' || body.code.equals(code)) continue
    out.note(`Note: a stapled attestation is about the code ${body.code}, but this service has the code ${code}.`)
  }
}
