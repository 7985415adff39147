import { nowSeconds } from '../../base/clock.ts'
import { nodeClient } from '../client/node-client.ts'
import { command, whole } from '../command.ts'
import { table } from '../output/output.ts'
import { when } from '../output/text.ts'

export const audit = command({
  name: 'audit',
  summary: "What was done with the node's API, by whom, newest first",
  args: {},
  options: { limit: whole('N', 'so many entries', { min: 1, max: 1000, fallback: 100 }) },
  async run(cli, { limit }) {
    const entries = await (await nodeClient(cli)).access.audit(limit, { signal: cli.signal })
    const now = nowSeconds(cli.clock)
    cli.out.result(entries, () => {
      if (entries.length === 0) return ['Nothing was changed with the API yet.']
      const rows = entries.map(({ at, by, id, method, path, status }) => {
        return [when(at, now), by === 'socket' ? by : `${by} ${id}`, method, path, String(status)]
      })
      return table(['WHEN', 'BY', 'METHOD', 'PATH', 'STATUS'], rows)
    })
  },
})
