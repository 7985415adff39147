import { command, flag, optionalArgument } from '../command.ts'
import { operatorFolder } from '../folder.ts'
import { serveNode } from '../serve-node.ts'

export const start = command({
  name: 'start',
  summary: 'Run the node of a folder, here, until it is stopped',
  details:
    'SIGINT or SIGTERM stops it in good order, a second one at once. SIGHUP reads policy and services again.\nWith --json: a line {"event":"ready",...} when it is ready, then one line for each event.',
  args: { dir: optionalArgument('DIR', "the operator's folder") },
  options: { stopRuns: flag('end the runs with the node; else they go on, and the next start takes them up again') },
  reloads: true,
  run: async (cli, { dir, stopRuns }) => serveNode(cli, { folder: await operatorFolder(cli, dir), stopRuns }),
})
