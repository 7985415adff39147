import { resolve } from 'node:path'
import { readStatementFile } from '../../../config/index.ts'
import { argument, command, text, texts } from '../../command.ts'
import { destinationOf, submitStatement } from '../../statements/destination.ts'
import { yesOption } from '../../statements/options.ts'

export const hubPublish = command({
  name: 'hub publish',
  summary: 'Publish a statement that was signed elsewhere',
  details: 'Any kind: an attestation, a freeze statement, a delegation. It is published again until it expires.',
  args: { file: argument('FILE', 'an encoded statement, as --out writes it') },
  options: {
    join: texts('MULTIADDR', 'without a node, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network (default: the folder\'s, else "thundercloud")'),
    yes: yesOption,
  },
  async run(cli, { file, join, network, yes }) {
    const statements = await readStatementFile(resolve(cli.cwd, file), { file, signal: cli.signal })
    const outlet = await destinationOf(cli, { join, network, out: undefined, offline: false })
    for (const encoded of statements) await submitStatement(cli, outlet, encoded, { out: undefined, yes })
  },
})
