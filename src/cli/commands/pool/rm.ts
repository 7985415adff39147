import { nodeClient } from '../../client/node-client.ts'
import { argument, command, flag } from '../../command.ts'

export const poolRm = command({
  name: 'pool rm',
  summary: 'Remove a pool',
  details:
    'With --force also where services run in it: their runs end, and wait until there is a pool of this name again, or CONTAINERS of the policy does not list it any more.\nWhat its services keep on the disk (--data) stays: "thundercloud pool erase" removes it.',
  args: { name: argument('NAME', 'its name, as in CONTAINERS') },
  options: { force: flag('also where services run in it') },
  async run(cli, { name, force }) {
    const client = await nodeClient(cli)
    await client.pools.remove(name, { force, signal: cli.signal })
    cli.out.result({ removed: name }, () => [`Removed ${name}.`])
  },
})
