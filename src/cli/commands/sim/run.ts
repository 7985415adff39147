import { basename, resolve } from 'node:path'
import {
  checkSupported,
  createOutputFolder,
  engineOf,
  environmentOf,
  InterruptedRunError,
  readScenario,
  runScenario,
  withCrashes,
  withSeed,
} from '../../../simulation/index.ts'
import { argument, command, text, texts } from '../../command.ts'
import { failWhereWrong, resultLines } from '../../sim/format-results.ts'
import { loadObservers } from '../../sim/load-observers.ts'
import { engineOption, eventsOption, processesOption } from '../../sim/options.ts'
import { patchOption, runWithPatch } from '../../sim/run-with-patch.ts'
import { writeReport } from '../../sim/write-report.ts'

export const simRun = command({
  name: 'sim run',
  summary: 'Run a scenario, and measure what happens',
  details: [
    'In virtual time the same scenario and seed give the same events; --engine live runs real nodes in real time. With --out, a folder holds all that a rerun needs: scenario, seed, versions,',
    'machine, results.json, events, a CSV file for each metric, and report.html. Ctrl-C keeps what was measured by then.',
    'Exit code 1: an assertion of the scenario does not hold, or an invariant is broken.',
  ].join('\n'),
  args: { file: argument('FILE', 'a scenario; configs/scenarios has some') },
  options: {
    engine: engineOption,
    processes: processesOption,
    seed: text('SEED', "instead of the scenario's"),
    crash: texts(
      'node=N,point=M',
      'kill the process of that node at that crash point, with --engine simulated; may be repeated',
    ),
    powerCut: texts('node=N,point=M', 'cut the power of its machine there instead; may be repeated'),
    patch: patchOption,
    out: text('DIR', 'a new folder for scenario, results, events, tables and report'),
    events: eventsOption,
    observers: texts('FILE', 'a module with metrics or invariants of your own; may be repeated'),
  },
  async run(cli, { file, engine, processes, seed, crash, powerCut, patch, out, events, observers: files }) {
    if (await runWithPatch(cli, patch)) return
    const read = await readScenario(resolve(cli.cwd, file))
    const seeded = seed === undefined ? read : withSeed(read, seed, '--seed')
    const scenario = await withCrashes(await withCrashes(seeded, crash), powerCut, 'powerCut')
    checkSupported(scenario, engine, basename(file), processes)
    const observers = await loadObservers(cli.cwd, files)
    const environment = await environmentOf(cli.version)
    const output = out === undefined ? undefined : await createOutputFolder(resolve(cli.cwd, out), scenario)
    using progress = cli.out.progress('simulating')
    try {
      const results = await runScenario(engineOf(engine, cli, { processes }), {
        ...{ scenario, events, environment, observers },
        eventsPath: output?.eventsPath,
        onNote: cli.out.note,
        onProgress: (ms) => progress.count(Math.round(ms / 1000), Math.ceil(scenario.seconds)),
        signal: cli.signal,
      })
      await output?.write(results)
      if (output !== undefined) await writeReport(cli, output, scenario, results)
      progress[Symbol.dispose]()
      cli.out.result({ ...results, out: out ?? null }, () => [
        ...resultLines(results),
        ...(out === undefined ? [] : [`${out} has the results, and report.html.`]),
      ])
      failWhereWrong(results)
    } catch (error) {
      if (error instanceof InterruptedRunError && output === undefined)
        cli.out.note(
          'Nothing was kept: only --out keeps what was measured by then. The same command begins again from the start.',
        )
      if (error instanceof InterruptedRunError && output !== undefined) {
        await output.write(error.results)
        cli.out.note(
          `${out} has what was measured by then; results.json says "complete": false. The same command with a new --out runs it again from the start.`,
        )
      }
      throw error
    }
  },
})
