import { resolve } from 'node:path'
import { writeFileAtomic } from '../../../base/atomic-file.ts'
import { InputError } from '../../../base/errors.ts'
import { howMany } from '../../../base/format.ts'
import { exists } from '../../../config/index.ts'
import { engineOf, fuzz } from '../../../simulation/index.ts'
import { command, text, whole } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { shellText } from '../../output/command-text.ts'
import { repeatableEngineOption } from '../../sim/options.ts'
import { patchOption, runWithPatch } from '../../sim/run-with-patch.ts'

const FILE = 'fuzz-failure.json'
/** Each is a run of a small scenario. */
const SHRINK_RUNS = 200

export const simFuzz = command({
  name: 'sim fuzz',
  summary: 'Run random small scenarios until an invariant breaks, and make the one that breaks it smaller',
  details: [
    'Size, links, policies, what is published, stopped and revoked, and who leaves, is cut off or crashes follow from the seed.',
    'A scenario that breaks an invariant is made smaller as long as it does, and written to a file that `sim run` takes.',
    'With --patch, it tells whether random scenarios find a fault that the patch puts into the sources.',
    'Ctrl-C while it is made smaller writes the smallest by then. Exit code 1: an invariant is broken.',
  ].join('\n'),
  args: {},
  options: {
    engine: repeatableEngineOption,
    seed: text('SEED', 'all scenarios follow from it (default: 1)'),
    runs: whole('COUNT', 'scenarios at most', { min: 1, max: 1_000_000, fallback: 100 }),
    minutes: whole('MINUTES', 'time at most, shrinking included', { min: 1, max: 100_000, fallback: undefined }),
    patch: patchOption,
    out: text('FILE', `where the scenario that fails is written (default: ${FILE})`),
  },
  async run(cli, { engine: name, seed = '1', runs, minutes, patch, out = FILE }) {
    const path = resolve(cli.cwd, out)
    if (await exists(path)) throw new InputError(`${out} is there already; name another file with --out`)
    if (await runWithPatch(cli, patch)) return
    const until = cli.clock.monotonic() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000
    using progress = cli.out.progress('running scenarios')
    let [began, smaller] = [0, 0]
    const { runs: done, failure } = await fuzz(engineOf(name, cli), {
      ...{ seed, runs, shrinkRuns: SHRINK_RUNS, signal: cli.signal, clock: cli.clock },
      more: () => cli.clock.monotonic() < until,
      onRun(run) {
        began = run
        progress.count(run, runs)
      },
      onShrink: () => progress.count(++smaller, SHRINK_RUNS),
    }).catch((error: unknown) => {
      if (cli.signal.aborted)
        cli.out.note(
          `${howMany(began, 'scenario breaks', 'scenarios break')} no invariant. Nothing was written; the same command begins again with the first.`,
        )
      throw error
    })
    progress[Symbol.dispose]()
    if (failure === undefined) {
      cli.out.result({ runs: done, failure: null }, () => [
        `${howMany(done, 'scenario breaks', 'scenarios break')} no invariant.`,
      ])
      return
    }
    const { breaks, said, scenario, generated } = failure
    await writeFileAtomic(path, `${JSON.stringify(scenario, null, 2)}\n`)
    const patched = patch === undefined ? [] : ['--patch', patch]
    const replay = shellText(['thundercloud', 'sim', 'run', out, '--engine', name, ...patched])
    cli.out.result({ runs: done, failure: { breaks, said, file: out, seed: generated.seed, replay, scenario } }, () => [
      `${breaks}: ${said}`,
      `${out} has the scenario. This runs it again:`,
      `  ${replay}`,
    ])
    throw new FailedError(`scenario ${done} breaks ${breaks}`)
  },
})
