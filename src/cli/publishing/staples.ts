import type { CID } from '../../../protocols/encoding.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import type { Staples } from '../../config/index.ts'
import type { Cli } from '../cli.ts'

/** An attestation of other code is useless here: the code has changed since, perhaps by the attestation's own file. */
export function noteStrayStaples({ out }: Pick<Cli, 'out'>, { statements }: Staples, code: CID): void {
  for (const encoded of statements) {
    const { kind, body } = decodeStatement(encoded)
    if (kind !== 'attestation' || body.code.equals(code)) continue
    out.note(`Note: a stapled attestation is about the code ${body.code}, but this service has the code ${code}.`)
  }
}
