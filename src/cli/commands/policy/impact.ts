import { basename, join, resolve } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import { howMany } from '../../../base/format.ts'
import { loadEndpoint, readJson, readPolicy } from '../../../config/index.ts'
import { openJournalReader } from '../../../journal/index.ts'
import {
  checkSupported,
  compareRuns,
  engineOf,
  environmentOf,
  readScenario,
  runExperiment,
  type Scenario,
  seedsOf,
  withJournal,
  withPolicy,
} from '../../../simulation/index.ts'
import type { Cli } from '../../cli.ts'
import { argument, command, type Option, required, text, whole } from '../../command.ts'
import { comparisonLines } from '../../sim/comparison-lines.ts'
import { numberText } from '../../sim/format-results.ts'
import { repeatableEngineOption } from '../../sim/options.ts'

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
    'the seeds. It is a model: `thundercloud sim run` says what each engine leaves out. With --from-journal, what is published is',
    'what that node has received, when it came, without names, authors and texts; more time than the scenario has is replayed faster.',
  ].join('\n'),
  args: { file: argument('FILE', 'the candidate: settings of a runner') },
  options: {
    scenario: required('SCENARIO', 'the mesh and what happens in it'),
    fromJournal: text('DIR', 'the folder of a node; its newest services are published'),
    services: whole('COUNT', 'of its journal, at most this many', { min: 1, max: 10_000, fallback: 200 }),
    share: shareOption,
    seeds: whole('COUNT', 'runs of each', { min: 1, max: 1000, fallback: 10 }),
    engine: repeatableEngineOption,
  },
  async run(cli, { file, scenario: path, fromJournal: folder, services: newest, share, seeds, engine }) {
    const raw = await readJson(resolve(cli.cwd, file), file, "name a runner's settings")
    readPolicy(raw, file)
    const read = await readScenario(resolve(cli.cwd, path))
    checkSupported(read, engine, basename(path))
    const replayed = folder === undefined ? undefined : await fromJournal(cli, read, { folder, newest })
    const scenario = replayed?.scenario ?? read
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
    const journal = replayed && { services: replayed.services, speed: replayed.speed }
    cli.out.result({ file, share, engine, journal, ...comparison, broken }, () => [
      ...(journal === undefined ? [] : [journalLine(journal), '']),
      ...comparisonLines(comparison, ['WITHOUT', 'WITH']),
      ...broken.map((id) => `The invariant ${id} was broken in some runs.`),
    ])
  },
})

async function fromJournal(cli: Cli, scenario: Scenario, { folder, newest }: { folder: string; newest: number }) {
  const { dataDir } = await loadEndpoint(resolve(cli.cwd, folder))
  using reader = openJournalReader(join(dataDir, 'journal.sqlite'))
  return await withJournal(scenario, [...reader.services({ newest })].flat(), reader.path)
}

function journalLine({ services, speed }: { services: number; speed: number }): string {
  const times = speed === 1 ? 'as fast as they came' : `${numberText(speed)} times as fast as they came`
  return `${howMany(services, 'service', 'services')} of the journal, ${times}.`
}
