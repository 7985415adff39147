import { resolve } from 'node:path'
import { checkPassphrase } from '../../backup/index.ts'
import { InputError } from '../../base/errors.ts'
import { readSecret } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { text } from '../command.ts'

export const passphraseOption = text(
  'FILE',
  'its first line is the passphrase; nobody else may read it (default: it is asked for)',
)

/** The passphrase of a backup: from a file, or from the person at the terminal, twice where it is a new one. */
export async function passphraseOf(cli: Cli, file: string | undefined, { isNew = false } = {}): Promise<string> {
  const passphrase = file === undefined ? await asked(cli, isNew) : await read(cli, file)
  checkPassphrase(passphrase)
  return passphrase
}

async function read({ cwd, signal }: Cli, file: string): Promise<string> {
  const whole = await readSecret(resolve(cwd, file), `--passphrase-file ${file}`, 'write the passphrase into it', {
    signal,
  })
  return whole.split(/\r?\n/, 1)[0] ?? ''
}

async function asked(cli: Cli, isNew: boolean): Promise<string> {
  const passphrase = await cli.askSecret('Passphrase of the backup')
  if (passphrase === undefined) {
    throw new InputError(
      'there is no terminal to ask for the passphrase; name a file that has it: --passphrase-file FILE',
    )
  }
  if (isNew && (await cli.askSecret('The same again')) !== passphrase) {
    throw new InputError('the two passphrases differ; run the command again')
  }
  return passphrase
}
