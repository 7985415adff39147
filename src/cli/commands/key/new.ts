import { InputError } from '../../../base/errors.ts'
import { createAuthor } from '../../author.ts'
import { command, text } from '../../command.ts'
import { fields } from '../../output/output.ts'
import { trustLines } from './show.ts'

export const keyNew = command({
  name: 'key new',
  summary: 'Make the key that signs what you publish, to have its address before the first publish',
  details: 'The first `publish` makes it too. A key that is there is kept.',
  args: {},
  options: { key: text('FILE', 'where it is written, PKCS#8 PEM (default: in your settings folder)') },
  async run(cli, { key }) {
    const { address, keyPath, created } = await createAuthor(cli, key)
    if (!created) {
      const shown = key === undefined ? '' : ` --key ${key}`
      throw new InputError(
        `${keyPath} is there already and is kept; \`thundercloud key show${shown}\` shows its address`,
      )
    }
    cli.out.result({ address, file: keyPath }, () => [
      ...fields([
        ['you publish as', address],
        ['key', keyPath],
      ]),
      'Whoever has the key can change and stop what you publish. Keep a copy of it.',
      '',
      ...trustLines(address),
    ])
  },
})
