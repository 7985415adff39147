import { formatBytes, howMany } from '../../../base/format.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, flag } from '../../command.ts'
import { idFormats } from '../../output/text.ts'

export const codeGc = command({
  name: 'code gc',
  summary: 'Remove the code that no service here needs',
  details:
    'Code of services that run, wait to run, are parked, or were published here stays. The rest would be removed by the store itself when it needs space.',
  args: {},
  options: { dryRun: flag('only show what would be removed') },
  async run(cli, { dryRun }) {
    const client = await nodeClient(cli)
    const removed = await client.code.gc({ dryRun, signal: cli.signal })
    const { id } = idFormats(cli.out.terminal)
    const bytes = removed.reduce((sum, each) => sum + each.bytes, 0)
    const verb = dryRun ? 'Would remove' : 'Removed'
    cli.out.result({ dryRun, bytes, removed }, () =>
      removed.length === 0
        ? ['Nothing to remove: no code is here that no service needs or uses.']
        : [
            ...removed.map((each) => `${verb.toLowerCase()} ${id(each.code)}  ${formatBytes(each.bytes)}`),
            `${verb} ${howMany(removed.length, 'code', 'codes')}, ${formatBytes(bytes)}.`,
          ],
    )
  },
})
