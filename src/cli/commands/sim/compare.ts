import { resolve } from 'node:path'
import { compareRuns } from '../../../simulation/index.ts'
import { argument, command } from '../../command.ts'
import { comparisonLines } from '../../sim/comparison-lines.ts'
import { readRuns } from '../../sim/read-runs.ts'

export const simCompare = command({
  name: 'sim compare',
  summary: 'Compare two runs, or two sets of runs seed by seed',
  details: [
    'Each is a folder of `sim run --out`, or one of the folders in runs/ of a sweep, with a run for each seed. Intervals are over',
    'seeds, never over nodes: the nodes of one run depend on each other. Of one seed there is no interval.',
  ].join('\n'),
  args: { a: argument('A', 'a folder of results'), b: argument('B', 'another one') },
  options: {},
  async run(cli, { a, b }) {
    const comparison = compareRuns(await readRuns(resolve(cli.cwd, a)), await readRuns(resolve(cli.cwd, b)))
    cli.out.result({ a, b, ...comparison }, () => comparisonLines(comparison, ['A', 'B']))
  },
})
