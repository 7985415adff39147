import { resolve } from 'node:path'
import { UnavailableError } from '../../../base/errors.ts'
import { howMany } from '../../../base/format.ts'
import { refuseUnlessEmpty } from '../../../config/index.ts'
import { passphraseOf, passphraseOption } from '../../backup/passphrase.ts'
import { askOriginal } from '../../backup/probe-original.ts'
import { argument, command, flag } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { fields } from '../../output/output.ts'
import { clockTime } from '../../output/text.ts'

/** A node that has not answered by then does not run, or cannot be found. */
const ASK_MS = 15_000

export const restore = command({
  name: 'restore',
  summary: 'Make the folder of a node again from its backup',
  details: [
    'The original must not run: two nodes with one key contradict each other. It is looked for on its mesh first, and where it answers',
    'nothing is restored. Never start it again afterwards.',
    'What the restored node signs goes on above all that the original can have signed: versions of its services are numbered by the time of the',
    'restore, and tasks that are older than it do not begin. api.token is a new one.',
    'Example: thundercloud restore my-node.backup my-node --passphrase-file passphrase.txt',
  ].join('\n'),
  args: {
    file: argument('FILE', 'what `thundercloud backup` wrote'),
    dir: argument('DIR', 'a new or an empty folder'),
  },
  options: {
    passphraseFile: passphraseOption,
    unchecked: flag('restore also where no node of the mesh can be asked whether the original runs'),
  },
  async run(cli, { file, dir, passphraseFile, unchecked }) {
    const { clock, rng, env, signal, out, cwd } = cli
    const target = resolve(cwd, dir)
    await refuseUnlessEmpty(target)
    const passphrase = await passphraseOf(cli, passphraseFile)
    const { openBackup } = await import('../../../backup/index.ts')
    await using opened = await openBackup({ clock, rng }, resolve(cwd, file), target, { passphrase, env, signal })
    const { peerId, madeAt, codes } = opened.contents
    using progress = out.progress('looking for the original on its mesh')
    const original = await askOriginal(cli, opened.contents, { withinMs: ASK_MS })
    progress[Symbol.dispose]()
    if (original === 'answers') {
      throw new FailedError(`the node ${peerId} answers on its mesh; stop it for good before it is restored`)
    }
    if (original === 'unasked' && !unchecked) {
      throw new UnavailableError(
        'no node of its mesh can be asked whether the original runs; where you know that it does not, add --unchecked',
      )
    }
    await opened.restore()
    out.result({ dir: target, peerId, madeAt, original, codes }, () => [
      ...fields([
        ['folder', target],
        ['peer id', peerId],
        ['as of', `${clockTime(madeAt * 1000)} UTC`],
      ]),
      'Never start the original again. api.token is a new one, and further tokens of the API have to be made again.',
      ...(codes.length === 0
        ? []
        : [
            `${howMany(codes.length, 'code', 'codes')} of its publications must come from other nodes, or be published again: ${codes.join(', ')}.`,
          ]),
      'Start the node with:',
      `  thundercloud start ${dir}`,
    ])
  },
})
