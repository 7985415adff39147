import { nowSeconds } from '../../base/clock.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command } from '../command.ts'
import { table } from '../output/output.ts'
import { when } from '../output/text.ts'

export const sessionLs = command({
  name: 'session ls',
  summary: "Browsers that are logged in to the node's dashboard",
  args: {},
  options: {},
  async run(cli) {
    const sessions = await (await nodeClient(cli)).sessions.list({ signal: cli.signal })
    const now = nowSeconds(cli.clock)
    cli.out.result(sessions, () => {
      if (sessions.length === 0) return ['No session is open; `thundercloud dashboard` opens one.']
      const rows = sessions.map(({ id, scope, by, createdAt, usedAt, expires, browser }) => {
        return [id, scope, by, when(createdAt, now), when(usedAt, now), when(expires, now), browser]
      })
      return table(['ID', 'SCOPE', 'BY', 'OPENED', 'USED', 'ENDS', 'BROWSER'], rows)
    })
  },
})

export const sessionRevoke = command({
  name: 'session revoke',
  summary: 'End a session of the dashboard',
  args: { id: argument('ID', 'the id that `thundercloud session ls` shows') },
  options: {},
  async run(cli, { id }) {
    await (await nodeClient(cli)).sessions.revoke(id, { signal: cli.signal })
    cli.out.result({ ended: id }, () => [`Session ${id} has ended.`])
  },
})
