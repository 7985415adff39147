import { formatAddress, peerIdOf } from '../../../../protocols/address.ts'
import { InputError } from '../../../base/errors.ts'
import { defaultKeyPath, loadIdentity } from '../../../config/index.ts'
import { findAuthor } from '../../author.ts'
import { command, text } from '../../command.ts'
import { operatorFolder } from '../../operator-folder.ts'
import { fields } from '../../output/output.ts'

export const keyShow = command({
  name: 'key show',
  summary: 'Show your addresses: of the key that signs what you publish, and of the key of your node',
  details: [
    'TRUST_TREE, `trust delegate` and `explain` use these addresses. The prefix "ed25519:" belongs to the address where the bare text could',
    'be read as two keys.',
  ].join('\n'),
  args: {},
  options: { key: text('FILE', "another author's key, PKCS#8 PEM (default: in your settings folder)") },
  async run(cli, { key }) {
    const author = await findAuthor(cli, key)
    const dir = await operatorFolder(cli)
    const node = await loadIdentity(dir, { signal: cli.signal }).catch((error: unknown) => {
      // a folder that was named must be one
      if (cli.globals.dir !== undefined || !(error instanceof InputError)) throw error
      return undefined
    })
    const result = {
      author: author === undefined ? null : { address: author.address, file: author.keyPath },
      node:
        node === undefined
          ? null
          : { address: formatAddress(node.signer.address), peerId: peerIdOf(node.signer.address), dir },
    }
    cli.out.result(result, () => [
      ...fields([
        [
          'you publish as',
          result.author?.address ?? 'no key yet; `thundercloud key new` makes it, or the first `publish`',
        ],
        ['key', result.author?.file ?? `${defaultKeyPath(cli.env)} (not there yet)`],
        ['your node is', result.node?.address],
        ['peer id', result.node?.peerId],
        ['folder', result.node?.dir],
      ]),
      ...(result.author === null ? [] : ['', ...trustLines(result.author.address)]),
    ])
  },
})

/** What an operator does who wants to run what this author publishes. */
export function trustLines(address: string): string[] {
  return [
    'A node runs what you publish where its operator trusts this address, by one of these:',
    `  thundercloud trust delegate ${address} --until 90d`,
    `  "TRUST_TREE": { "ROOTS": { "${address}": { "DEPTH": 0 } } }   in its runner's config.json`,
  ]
}
