import { dirname, join, parse } from 'node:path'
import { nowSeconds } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { replaceKey } from '../../../config/index.ts'
import { findAuthor, livePublications, loadAuthor } from '../../author.ts'
import { command, text } from '../../command.ts'
import { fields } from '../../output/output.ts'
import { trustLines } from './show.ts'

export const keyRotate = command({
  name: 'key rotate',
  summary: 'Put a new key in the place of the one that signs what you publish, and keep the old one',
  details: [
    'The address changes with the key, and nothing of the mesh follows it: what the old key has published stays its own, so stop it with the old key',
    'and publish it again with the new one. Operators who trust the old address have to trust the new one, and to revoke the old.',
    "For a node's key, make a new folder with `init`.",
  ].join('\n'),
  args: {},
  options: { key: text('FILE', "another author's key, PKCS#8 PEM (default: in your settings folder)") },
  async run(cli, { key }) {
    const old = await findAuthor(cli, key)
    if (old === undefined) throw new InputError('there is no key to rotate; `thundercloud key new` makes one')
    const { name, ext } = parse(old.keyPath)
    // the address names it: no other key takes this file
    const retired = join(dirname(old.keyPath), `${name}-${old.address.replace(/^ed25519:/, '').slice(0, 12)}${ext}`)
    const left = await livePublications(old, nowSeconds(cli.clock))
    await replaceKey(old.keyPath, retired)
    const { address } = await loadAuthor(cli, key)
    const result = { address, file: old.keyPath, old: { address: old.address, file: retired }, publications: left }
    cli.out.result(result, () => [
      ...fields([
        ['you publish as', address],
        ['key', old.keyPath],
        ['the old key', retired],
        ['its address', old.address],
      ]),
      ...(left.length === 0
        ? []
        : [
            '',
            'The old key still owns these. Stop each, and publish it again:',
            ...left.map(({ name, network }) => `  thundercloud stop ${name} --key ${retired}   # network ${network}`),
          ]),
      '',
      ...trustLines(address),
      `Where the old key is in other hands, they also revoke it: thundercloud trust revoke ${old.address}`,
    ])
  },
})
