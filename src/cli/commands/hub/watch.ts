import { resolve } from 'node:path'
import { formatAddress } from '../../../../protocols/address.ts'
import { loadHub, loadIdentity } from '../../../config/index.ts'
import { command, flag, optionalArgument, text, texts } from '../../command.ts'
import { operatorFolder } from '../../operator-folder.ts'
import { serveNode } from '../../serve-node.ts'

export const hubWatch = command({
  name: 'hub watch',
  summary: 'Run the node of a folder as a hub: scan the code of every service, and sign the results',
  details:
    'Scanners run in a sandbox without network. hub.json in the folder names them, and how long statements are valid.\nThe rest is as with `start`.',
  args: { dir: optionalArgument('DIR', "the operator's folder") },
  options: {
    scanner: texts('NAME', 'use this scanner: clamav, manifest, or one of hub.json; may be repeated'),
    key: text('FILE', "the hub's key, instead of what hub.json says (default: the node's own)"),
    database: text('PATH', "folder (or file) with ClamAV's signatures, instead of what hub.json says"),
    stopRuns: flag('end the runs with the node; otherwise they go on, and the next start adopts them'),
  },
  reloads: true,
  async run(cli, { dir, scanner, key, database, stopRuns }) {
    const folder = await operatorFolder(cli, dir)
    const here = (path: string | undefined) => (path === undefined ? undefined : resolve(cli.cwd, path))
    const { settings, notices } = await loadHub(folder, {
      env: cli.env,
      signal: cli.signal,
      overrides: {
        scanners: scanner.length === 0 ? undefined : scanner,
        key: here(key),
        database: here(database),
      },
    })
    for (const { message } of notices) cli.out.note(`Note: ${message}`)
    const signer = settings.signer ?? (await loadIdentity(folder, { signal: cli.signal })).signer
    const names = settings.scanners.map((one) => (one.kind === 'command' ? one.name : one.kind))
    cli.out.note(`Hub ${formatAddress(signer.address)} examines with ${names.join(', ')}.`)
    await serveNode(cli, { folder, stopRuns, hub: settings })
  },
})
