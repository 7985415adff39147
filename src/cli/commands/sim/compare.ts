import { resolve } from 'node:path'
import { type Compared, compareRuns, type Interval } from '../../../simulation/index.ts'
import { argument, command } from '../../command.ts'
import { table } from '../../output/output.ts'
import { numberText } from '../../sim/format-results.ts'
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
    cli.out.result({ a, b, ...comparison }, () => [
      ...table(['METRIC', 'A', 'B', 'B - A', ''], comparison.metrics.filter(isTold).map(row)),
      '',
      `A and B: ${comparison.method}.`,
      comparison.seeds.length > 1
        ? `B - A: ${comparison.pairedMethod} (${comparison.seeds.length} seeds).`
        : 'With one seed in common nothing is known of how much seeds differ: sweep with --seeds 10.',
    ])
  },
})

function isTold({ a, b }: Compared): boolean {
  return a !== null || b !== null
}

function row({ metric, a, b, difference }: Compared): string[] {
  const clear = difference?.low != null && difference.high !== null && difference.low * difference.high > 0
  return [metric, intervalText(a), intervalText(b), intervalText(difference), clear ? 'differs' : '']
}

function intervalText(interval: Interval | null): string {
  if (interval === null) return '-'
  const { mean, low, high } = interval
  return low === null ? numberText(mean) : `${numberText(mean)} [${numberText(low)}, ${numberText(high)}]`
}
