import { formatBytes } from '../../../base/format.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command } from '../../command.ts'
import { table } from '../../output/output.ts'

export const poolLs = command({
  name: 'pool ls',
  summary: 'Pools of the node, and how many services run in each',
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    const pools = await client.pools.list({ signal: cli.signal })
    cli.out.result({ pools }, () => {
      if (pools.length === 0) return ['There is no pool; "thundercloud pool create" makes one.']
      const rows = pools.map((pool) => [
        pool.name,
        pool.image,
        formatBytes(pool.memoryBytes),
        `${pool.cpuMillicores / 1000}`,
        `${pool.pids}`,
        pool.running ? 'running' : 'stopped',
        `${pool.services.length}`,
      ])
      return table(['NAME', 'IMAGE', 'MEMORY', 'CPUS', 'PIDS', 'STATE', 'SERVICES'], rows)
    })
  },
})
