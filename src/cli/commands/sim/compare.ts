import { basename, resolve } from 'node:path'
import { compareRuns } from '../../../simulation/index.ts'
import { argument, command, text } from '../../command.ts'
import { comparisonLines } from '../../sim/comparison-lines.ts'
import { readRuns } from '../../sim/read-runs.ts'
import { writeComparisonReport } from '../../sim/write-report.ts'

export const simCompare = command({
  name: 'sim compare',
  summary: 'Compare two runs, or two sets of runs seed by seed',
  details: [
    'Each is a folder of `sim run --out`, or one of the folders in runs/ of a sweep, with a run for each seed. Intervals are over',
    'seeds, never over nodes: the nodes of one run depend on each other. Of one seed there is no interval. With --report, an HTML',
    'file has it with plots. It only reads the runs: after Ctrl-C, the same command compares them again.',
  ].join('\n'),
  args: { a: argument('A', 'a folder of results'), b: argument('B', 'another one') },
  options: { report: text('FILE', 'an HTML file, which is written') },
  async run(cli, { a, b, report }) {
    const { cwd, signal, out } = cli
    try {
      const [left, right] = await Promise.all([readRuns(resolve(cwd, a), signal), readRuns(resolve(cwd, b), signal)])
      const comparison = compareRuns(left, right)
      if (report !== undefined) {
        const names = basename(a) === basename(b) ? [a, b] : [basename(a), basename(b)]
        const sides = [
          { name: names[0] ?? a, runs: left },
          { name: names[1] ?? b, runs: right },
        ] as const
        await writeComparisonReport(cli, resolve(cwd, report), comparison, sides)
      }
      out.result({ a, b, ...comparison }, () => comparisonLines(comparison, ['A', 'B']))
    } catch (error) {
      if (signal.aborted)
        out.note('Nothing was written; the runs are as they were, and the same command compares them again.')
      throw error
    }
  },
})
