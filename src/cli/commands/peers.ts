import { nowSeconds } from '../../base/clock.ts'
import { formatMs, howMany } from '../../base/format.ts'
import { nodeClient } from '../client/node-client.ts'
import { command } from '../command.ts'
import { commandText } from '../output/command-text.ts'
import { table } from '../output/output.ts'
import { idFormats } from '../output/text.ts'

export const peers = command({
  name: 'peers',
  summary: "The node's neighbours in the mesh",
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    const known = await client.peers({ signal: cli.signal })
    const { peer } = idFormats(cli.out.terminal)
    const now = nowSeconds(cli.clock)
    const blocks = known.length > 0 ? [] : await client.blocks.list({ signal: cli.signal })
    const blocked = blocks.filter(({ kind }) => kind === 'peer').length
    const which = `${commandText(cli, ['block', 'ls'])} shows which`
    cli.out.result(known, () => {
      if (known.length === 0)
        return [
          "No neighbours. STATIC_NODES in the runner's config.json names the nodes to dial.",
          ...(blocked === 0 ? [] : [`${howMany(blocked, 'peer is', 'peers are')} blocked; ${which}.`]),
        ]
      const rows = known.map((each) => [
        peer(each.peerId),
        each.direction,
        each.static ? 'yes' : '',
        formatMs((now - each.connectedAt) * 1000),
        each.score.toFixed(1),
        each.relayed ? 'relay' : 'direct',
        cli.out.terminal ? each.multiaddr.replace(/\/p2p\/\w+$/, '') : each.multiaddr,
      ])
      return table(['PEER', 'DIRECTION', 'STATIC', 'CONNECTED', 'SCORE', 'VIA', 'ADDRESS'], rows)
    })
  },
})
