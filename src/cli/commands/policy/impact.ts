import { resolve } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import { readJson, readPolicy } from '../../../config/index.ts'
import {
  compareRuns,
  engineOf,
  environmentOf,
  readScenario,
  runExperiment,
  seedsOf,
  withPolicy,
} from '../../../simulation/index.ts'
import { argument, command, type Option, required, whole } from '../../command.ts'
import { comparisonLines } from '../../sim/comparison-lines.ts'
import { engineOption } from '../../sim/options.ts'

const [WITHOUT, WITH] = ['without', 'with'] as const
const DEFAULT_SHARE = 0.3

const shareOption: Option<number> = {
  takes: 'SHARE',
  describe: `of the nodes that get the policy, above 0 and at most 1 (default: ${DEFAULT_SHARE})`,
  read(given, flag) {
    const share = given === undefined ? DEFAULT_SHARE : Number(given)
    if (share > 0 && share <= 1) return share
    throw new InputError(`${flag} is ${JSON.stringify(given)}; allowed is a number above 0 and at most 1`)
  },
}

export const policyImpact = command({
  name: 'policy impact',
  summary: 'Simulate what a policy would do to a mesh in which a share of the nodes has it',
  details: [
    'The scenario runs with the same seeds without and with the policy; shown are the paired differences with their intervals over',
    'the seeds. It is a model: `thundercloud sim run` says what each engine leaves out.',
  ].join('\n'),
  args: { file: argument('FILE', 'the candidate: settings of a runner') },
  options: {
    scenario: required('SCENARIO', 'the mesh and what happens in it'),
    share: shareOption,
    seeds: whole('COUNT', 'runs of each', { min: 1, max: 1000, fallback: 10 }),
    engine: engineOption,
  },
  async run(cli, { file, scenario: path, share, seeds, engine }) {
    const raw = await readJson(resolve(cli.cwd, file), file, "name a runner's settings")
    readPolicy(raw, file)
    const scenario = await readScenario(resolve(cli.cwd, path))
    const changed = withPolicy(scenario, raw as Readonly<Record<string, unknown>>, share)
    const trials = seedsOf(scenario.seed, seeds).flatMap((seed) => [
      { variant: WITHOUT, seed, scenario: async () => ({ ...scenario, seed }) },
      { variant: WITH, seed, scenario: async () => ({ ...changed, seed }) },
    ])
    using progress = cli.out.progress(`${trials.length} runs`)
    const all = await runExperiment(engineOf(engine, cli), {
      ...{ trials, events: 'none', environment: await environmentOf(cli.version), signal: cli.signal },
      onDone: (done, { total }) => progress.count(done, total),
    })
    progress[Symbol.dispose]()
    const of = (name: string) => all.filter(({ variant }) => variant === name).map(({ results }) => results)
    const comparison = compareRuns(of(WITHOUT), of(WITH))
    const broken = [...new Set(all.flatMap(({ results }) => Object.keys(results.violations)))]
    cli.out.result({ file, share, engine, ...comparison, broken }, () => [
      ...comparisonLines(comparison, ['WITHOUT', 'WITH']),
      ...broken.map((id) => `The invariant ${id} was broken in some runs.`),
    ])
  },
})
