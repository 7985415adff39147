import { resolve } from 'node:path'
import { howMany, joinWords, sanitizeText } from '../../../base/format.ts'
import { loadEndpoint } from '../../../config/index.ts'
import { reachableAt } from '../../backup/node-addresses.ts'
import { passphraseOf, passphraseOption } from '../../backup/passphrase.ts'
import { argument, command } from '../../command.ts'
import { checkNewPath } from '../../new-path.ts'
import { operatorFolder } from '../../operator-folder.ts'
import { fields } from '../../output/output.ts'

const MAX_NAMED = 5

export const backup = command({
  name: 'backup',
  summary: 'Write all that makes the node into one encrypted file: identity, settings, policy, journal',
  details: [
    'The node may run. The file is encrypted with a passphrase (scrypt, AES-256-GCM), and only you may read it. Not in it: code, logs and',
    'results, tokens of the API, and the key with which `publish` signs (`thundercloud key show` says where that is).',
    'Example: thundercloud backup my-node.backup --passphrase-file passphrase.txt',
  ].join('\n'),
  args: { file: argument('FILE', 'a new file') },
  options: { passphraseFile: passphraseOption },
  async run(cli, { file, passphraseFile }) {
    const { clock, rng, env, signal, version, out } = cli
    const path = resolve(cli.cwd, file)
    await checkNewPath(path)
    const dir = await operatorFolder(cli)
    const { network, dataDir } = await loadEndpoint(dir, { env, signal })
    const passphrase = await passphraseOf(cli, passphraseFile, { isNew: true })
    const reached = await reachableAt(cli, dir)
    using progress = out.progress('copying')
    const { createBackup } = await import('../../../backup/index.ts')
    const init = { dir, dataDir, network, version, passphrase, ...reached, signal }
    const { peerId, files, codes, left, madeAt } = await createBackup({ clock, rng }, path, init)
    progress[Symbol.dispose]()
    const result = { file: path, peerId, madeAt, files: files.length, codes, left }
    out.result(result, () => [
      ...fields([
        ['file', path],
        ['peer id', peerId],
        ['files', String(files.length)],
      ]),
      'Without the passphrase the file is worth nothing: keep it elsewhere.',
      ...(codes.length === 0
        ? []
        : [
            `Its publications have ${howMany(codes.length, 'code', 'codes')}, whose bytes are not in it; \`thundercloud code get\` copies one.`,
          ]),
      ...(left.length === 0
        ? []
        : [
            `Left out, because they are no plain files: ${joinWords(left.slice(0, MAX_NAMED).map((one) => sanitizeText(one, 100)))}.`,
          ]),
    ])
  },
})
