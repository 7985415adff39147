import { resolve } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import { environmentOf, readOutputFolder, runScenario } from '../../../simulation/index.ts'
import { argument, command } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { engineFor } from '../../sim/engine-for.ts'

export const simVerify = command({
  name: 'sim verify',
  summary: 'Run what a folder holds again, and compare the sha256 of all events',
  details:
    'Exit code 1: the events differ. Then the lines say how this program and machine differ from those of the folder.',
  args: { folder: argument('FOLDER', 'what `thundercloud sim run --out` has written') },
  options: {},
  async run(cli, { folder }) {
    const { scenario, results } = await readOutputFolder(resolve(cli.cwd, folder))
    if (results.sha256 === null) {
      throw new InputError(
        `${folder} holds a run that was interrupted, so there is nothing to compare; run it again with \`sim run\``,
      )
    }
    const environment = await environmentOf(cli.version)
    using progress = cli.out.progress('simulating')
    const again = await runScenario(engineFor(folder, results, cli), {
      ...{ scenario, environment, events: 'none' },
      onProgress: (ms) => progress.count(Math.round(ms / 1000), Math.ceil(scenario.seconds)),
      signal: cli.signal,
    }).catch((error: unknown) => {
      if (cli.signal.aborted)
        cli.out.note(`Nothing was compared; the same command runs ${folder} again from the start.`)
      throw error
    })
    progress[Symbol.dispose]()
    const same = again.sha256 === results.sha256
    const differences = (Object.keys(environment) as (keyof typeof environment)[])
      .filter((key) => environment[key] !== results.environment[key])
      .map((key) => ({ key, before: results.environment[key], now: environment[key] }))
    cli.out.result(
      { same, sha256: again.sha256, expected: results.sha256, events: again.events.count, differences },
      () => [
        ...(same ? [`The same ${again.events.count} events, sha256 ${again.sha256}.`] : []),
        ...(same
          ? []
          : differences.map(
              ({ key, before, now }) => `${key}: ${before ?? 'not known'} then, ${now ?? 'not known'} now`,
            )),
      ],
    )
    if (!same) throw new FailedError(`the events differ: sha256 ${again.sha256} instead of ${results.sha256}`)
  },
})
