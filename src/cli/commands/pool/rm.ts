import { formatBytes } from '../../../base/format.ts'
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
    // the pool is gone, also where its data cannot be looked at
    const all = await client.pools.listData({ signal: cli.signal }).catch(() => [])
    const data = all.find(({ pool }) => pool === name)
    cli.out.result({ removed: name, ...(data !== undefined && { dataBytes: data.bytes }) }, () => [
      `Removed ${name}.`,
      ...(data === undefined
        ? []
        : [`Its data, ${formatBytes(data.bytes)}, stays: "thundercloud pool erase ${name}" removes it.`]),
    ])
  },
})
