import { createHash } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { formatMs, howMany } from '../../../base/format.ts'
import {
  checkSupported,
  engineOf,
  environmentOf,
  INTERVAL_METHOD,
  intervalOf,
  openExperiment,
  parseVary,
  passed,
  readScenario,
  runExperiment,
  seedsOf,
  type TrialResults,
  varied,
} from '../../../simulation/index.ts'
import { argument, command, once, required, whole } from '../../command.ts'
import { table } from '../../output/output.ts'
import { failWhereWrong, numberText } from '../../sim/format-results.ts'
import { engineOption, eventsOption, processesOption } from '../../sim/options.ts'
import { writeSweepReport } from '../../sim/write-report.ts'

/** What the table for people has; the folder and --json have all. */
const SHOWN = [
  'coverage',
  'deliveryLatencyP50Ms',
  'deliveryLatencyP99Ms',
  'duplicatesPerNodeAndService',
  'sentBytesPerNodeMean',
]

export const simSweep = command({
  name: 'sim sweep',
  summary: 'Run a scenario with several values of one key, each with several seeds',
  details: [
    'KEY is a path in the scenario, like links.loss or nodes, or a key of its publications or of its policies: redirectionDepth.',
    'Runs that are in the folder already are not run again: the same command goes on after Ctrl-C.',
    'Exit code 1: in one of the runs an assertion of the scenario does not hold, or an invariant is broken.',
  ].join('\n'),
  args: { file: argument('FILE', 'a scenario') },
  options: {
    vary: once(
      required('KEY=VALUES', 'what changes: redirectionDepth=0..6, links.loss=0,0.01,0.1 or nodes=100..1000/300'),
      'a sweep changes one key',
    ),
    seeds: whole('COUNT', 'runs of each value', { min: 1, max: 1000, fallback: 10 }),
    out: required('DIR', 'the folder of all runs'),
    engine: engineOption,
    processes: processesOption,
    events: eventsOption,
  },
  async run(cli, { file, vary: given, seeds, out, engine, processes, events }) {
    const vary = parseVary(given)
    const scenario = await readScenario(resolve(cli.cwd, file))
    // every value is checked before the first one runs
    for (const value of vary.values)
      checkSupported(await varied(scenario, vary.key, value), engine, basename(file), processes)
    const trials = vary.values.flatMap((value) =>
      seedsOf(scenario.seed, seeds).map((seed) => ({
        variant: `${vary.key}=${value}`,
        seed,
        scenario: async () => ({ ...(await varied(scenario, vary.key, value)), seed }),
      })),
    )
    const sha256 = createHash('sha256').update(JSON.stringify(scenario)).digest('hex')
    const folder = resolve(cli.cwd, out)
    await openExperiment(folder, { title: scenario.title, scenarioSha256: sha256, vary, engine })
    using progress = cli.out.progress(`${trials.length} runs`)
    const began = cli.clock.monotonic()
    let [ran, kept] = [0, 0]
    const all = await runExperiment(engineOf(engine, cli, { processes }), {
      ...{ trials, folder, events, environment: await environmentOf(cli.version), signal: cli.signal },
      onDone(done, { total, kept: known }) {
        if (!known) ran++
        kept = done
        progress.count(done, total)
        const left = ran === 0 ? 0 : ((cli.clock.monotonic() - began) / ran) * (total - done)
        if (ran === 1 && !known && done < total)
          cli.out.note(`${howMany(total - done, 'more run takes', 'more runs take')} about ${formatMs(left)}.`)
      },
    }).catch((error: unknown) => {
      if (cli.signal.aborted)
        cli.out.note(
          `${kept} of ${trials.length} runs are done and stay in ${out}; the same command goes on with the others.`,
        )
      throw error
    })
    progress[Symbol.dispose]()
    await writeSweepReport(cli, folder, { title: scenario.title, key: vary.key, trials: all })
    const rows = summary(all)
    cli.out.result({ out, vary, method: INTERVAL_METHOD, rows }, () => [
      ...table(
        ['VARIANT', ...SHOWN],
        [...new Set(rows.map(({ variant }) => variant))].map((variant) => [
          variant,
          ...SHOWN.map((metric) => {
            const row = rows.find((row) => row.variant === variant && row.metric === metric)
            return row === undefined
              ? '-'
              : row.low === null
                ? numberText(row.mean)
                : `${numberText(row.mean)} [${numberText(row.low)}, ${numberText(row.high)}]`
          }),
        ]),
      ),
      '',
      `${INTERVAL_METHOD}.`,
      `${join(out, 'report.html')} has the plots.`,
    ])
    const wrong = all.filter(({ results }) => !passed(results))
    const [first] = wrong
    if (first === undefined) return
    const where = `${first.variant}, seed ${first.seed}`
    failWhereWrong(first.results, `${wrong.length} of ${howMany(all.length, 'run', 'runs')} failed; ${where}: `)
  },
})

function summary(all: readonly TrialResults[]) {
  const variants = [...new Set(all.map(({ variant }) => variant))]
  return variants.flatMap((variant) => {
    const runs = all.filter((trial) => trial.variant === variant).map(({ results }) => results)
    const metrics = Object.keys(runs[0]?.values ?? {})
    return metrics.flatMap((metric) => {
      const values = runs.flatMap(({ values }) => (typeof values[metric] === 'number' ? [values[metric]] : []))
      const interval = intervalOf(values)
      return interval === null ? [] : [{ variant, metric, ...interval }]
    })
  })
}
