import { command, flag, optionalArgument } from '../command.ts'
import { operatorFolder } from '../operator-folder.ts'
import { serveNode } from '../serve-node.ts'

export const start = command({
  name: 'start',
  summary: 'Run the node of a folder until it is stopped',
  details:
    'SIGINT or SIGTERM stops it cleanly, a second one at once. SIGHUP reloads policy and services.\nWith --json: a line {"event":"ready",...} when it is ready, then one line for each event.',
  args: { dir: optionalArgument('DIR', "the operator's folder") },
  options: { stopRuns: flag('end the runs with the node; otherwise they go on, and the next start adopts them') },
  reloads: true,
  run: async (cli, { dir, stopRuns }) => serveNode(cli, { folder: await operatorFolder(cli, dir), stopRuns }),
})
