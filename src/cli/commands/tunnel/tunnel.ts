import { nowSeconds } from '../../../base/clock.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command } from '../../command.ts'
import { table } from '../../output/output.ts'
import { idFormats, when } from '../../output/text.ts'

export const tunnelLs = command({
  name: 'tunnel ls',
  summary: 'Tunnels that the dashboard and the API have opened on the node, and who opened them',
  details: 'Those of `connect` are not among them: they end with that command.',
  args: {},
  options: {},
  async run(cli) {
    const tunnels = await (await nodeClient(cli)).tunnels.list({ signal: cli.signal })
    const now = nowSeconds(cli.clock)
    const { id: short } = idFormats(cli.out.terminal)
    cli.out.result(tunnels, () => {
      if (tunnels.length === 0) return ['No tunnel is open.']
      const rows = tunnels.map(({ id, local, service, port, by, openedAt, expires, connections, problem = '' }) => [
        ...[id, local, port, short(service), `${by.kind} ${by.id}`],
        ...[when(openedAt, now), when(expires, now), String(connections), problem],
      ])
      return table(['ID', 'LISTENS', 'PORT', 'SERVICE', 'BY', 'OPENED', 'ENDS', 'OPEN', 'PROBLEM'], rows)
    })
  },
})

export const tunnelClose = command({
  name: 'tunnel close',
  summary: 'Close a tunnel of the node, and its connections',
  args: { id: argument('ID', 'the id that `thundercloud tunnel ls` shows') },
  options: {},
  async run(cli, { id }) {
    await (await nodeClient(cli)).tunnels.close(id, { signal: cli.signal })
    cli.out.result({ closed: id }, () => [`Tunnel ${id} is closed.`])
  },
})
