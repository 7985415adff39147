import { formatBytes } from '../../../base/format.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, text } from '../../command.ts'
import { table } from '../../output/output.ts'

export const poolData = command({
  name: 'pool data',
  summary: 'What services of pools keep on the disk',
  details:
    'Also of services and pools that are no more: nothing of it ends by itself. "thundercloud pool erase" removes it.',
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    const data = await client.pools.listData({ signal: cli.signal })
    cli.out.result({ data }, () => {
      if (data.length === 0)
        return ['No pool has data; "thundercloud pool create NAME --data SIZE" makes one that has.']
      const rows = data.map(({ pool, bytes, usedBytes, services }) => [
        pool,
        formatBytes(bytes),
        formatBytes(usedBytes),
        services.join(' ') || '-',
      ])
      return table(['POOL', 'SIZE', 'USED', 'SERVICES'], rows)
    })
  },
})

export const poolErase = command({
  name: 'pool erase',
  summary: 'Remove what services of a pool keep on the disk, for good',
  details:
    'All of it where the pool itself is removed already; with --service what one service keeps, of which nothing may run then.',
  args: { name: argument('NAME', 'the name of the pool') },
  options: { service: text('SERVICE', 'the name of the service: what it keeps, and no more') },
  async run(cli, { name, service }) {
    const client = await nodeClient(cli)
    await client.pools.removeData(name, { service, signal: cli.signal })
    const what = service === undefined ? 'the data' : `what ${service} kept`
    cli.out.result({ removed: name, ...(service !== undefined && { service }) }, () => [`Removed ${what} of ${name}.`])
  },
})
