import { nodeClient } from '../../client/node-client.ts'
import { command } from '../../command.ts'
import { commandText } from '../../output/command-text.ts'

export const pause = command({
  name: 'pause',
  summary: 'Begin no new run until the node is resumed; what runs goes on',
  details: [
    'What the policy lets run is parked meanwhile, is redirected as before, and is decided again by `thundercloud resume`.',
    'The pause lasts over restarts of the node. `thundercloud drain` also moves what runs to other nodes.',
    'Example: thundercloud pause',
  ].join('\n'),
  args: {},
  options: {},
  async run(cli) {
    const { paused } = await (await nodeClient(cli)).pause({ signal: cli.signal })
    cli.out.result({ paused }, () => [
      `The node begins no new run, and what runs goes on; ${commandText(cli, ['resume'])} ends that.`,
    ])
  },
})

export const resume = command({
  name: 'resume',
  summary: 'End a pause: the node begins runs again',
  args: {},
  options: {},
  async run(cli) {
    const { resumed } = await (await nodeClient(cli)).resume({ signal: cli.signal })
    cli.out.result({ resumed }, () => [
      resumed ? 'The node begins runs again; what waited is decided again.' : 'The node was not paused.',
    ])
  },
})
