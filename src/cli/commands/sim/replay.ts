import { resolve } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import { parseUntil, readOutputFolder, replay } from '../../../simulation/index.ts'
import { argument, command, required, whole } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { table } from '../../output/output.ts'
import { engineFor } from '../../sim/engine-for.ts'

/** Rows of nodes for people; --json has all. */
const MAX_ROWS = 40

export const simReplay = command({
  name: 'sim replay',
  summary: 'Run what a folder holds again from its seed, stop at an event, and show the state of the nodes there',
  details: 'EVENT is a number, from 1, or the name of an event, or both name and node: 1200, revoked, delivered@7.',
  args: { folder: argument('FOLDER', 'what `thundercloud sim run --out` has written') },
  options: {
    until: required('EVENT', 'where it stops'),
    steps: whole('COUNT', 'events after it that are shown too', { min: 0, max: 1_000_000, fallback: 0 }),
    node: whole('NODE', 'the state of this node alone', { min: 0, max: 1_000_000, fallback: undefined }),
  },
  async run(cli, { folder, until, steps, node }) {
    const stop = parseUntil(until)
    const { scenario, results } = await readOutputFolder(resolve(cli.cwd, folder))
    checkNode('--until', 'node' in stop ? stop.node : undefined, scenario.nodes)
    checkNode('--node', node, scenario.nodes)
    const found = await replay(engineFor(folder, results, cli), scenario, {
      until: stop,
      steps,
      signal: cli.signal,
    }).catch((error: unknown) => {
      if (cli.signal.aborted) cli.out.note(`It was not at ${until} yet; the same command begins again from the start.`)
      throw error
    })
    if (found.stoppedAt === null)
      throw new FailedError(`${until} never comes: the last of all events is at ${found.ms} ms`)
    const nodes = found.nodes.filter((each) => node === undefined || each.node === node)
    const rows = nodes.flatMap(({ node, present, services }) =>
      services.map(({ service, depth, verdict, emitted, run, revoked }) => [
        `${node}${present ? '' : ' (away)'}`,
        ...[service, depth, verdict, emitted, revoked ? `${run ?? ''} revoked` : run].map((cell) =>
          String(cell ?? '-'),
        ),
      ]),
    )
    cli.out.result({ ...found, nodes }, () => [
      ...found.events.map(
        ({ number, event }) => `${number === found.stoppedAt ? '>' : ' '} ${number} ${JSON.stringify(event)}`,
      ),
      '',
      `After event ${found.stoppedAt}, at ${found.ms} ms:`,
      ...table(['NODE', 'SERVICE', 'DEPTH', 'VERDICT', 'SENT ON', 'RUN'], rows.slice(0, MAX_ROWS)),
      ...(rows.length > MAX_ROWS ? [`... and ${rows.length - MAX_ROWS} more; --node shows one node, --json all.`] : []),
    ])
  },
})

function checkNode(flag: string, node: number | undefined, nodes: number): void {
  if (node !== undefined && node >= nodes)
    throw new InputError(`${flag} names node ${node}, but the last node is ${nodes - 1}`)
}
