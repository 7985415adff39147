import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/atomic-file.ts'
import { InputError } from '../../base/errors.ts'
import { readText } from '../../config/index.ts'
import type { EventMode } from '../output/event-log.ts'
import { createOutputFolder, findResults } from '../output/folder.ts'
import { makeFolder } from '../output/make-folder.ts'
import type { Results } from '../output/results.ts'
import { runScenario } from '../run-scenario.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Engine } from '../types.ts'

/** One run of many. */
export type Trial = { readonly variant: string; readonly seed: string; scenario(): Promise<Scenario> }
export type TrialResults = { readonly variant: string; readonly seed: string; readonly results: Results }

export type ExperimentInit = {
  readonly trials: readonly Trial[]
  /** where each run has a folder; undefined = nothing is kept */
  readonly folder?: string | undefined
  readonly events: EventMode
  readonly environment: Results['environment']
  readonly signal: AbortSignal
  onDone(done: number, of: { readonly total: number; readonly kept: boolean }): void
}

/** The seeds of `--seeds N`: the same for every variant, so that runs can be compared in pairs. */
export function seedsOf(seed: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? seed : `${seed}/${index}`))
}

/** Runs all trials, one after another. Those that are done in the folder already are not run again. */
export async function runExperiment(engine: Engine, init: ExperimentInit): Promise<TrialResults[]> {
  const { trials, folder, signal } = init
  const all: TrialResults[] = []
  for (const trial of trials) {
    signal.throwIfAborted()
    const path = folder && join(folder, 'runs', fileName(trial.variant), fileName(trial.seed))
    const known = path === undefined ? undefined : await findResults(path)
    const kept = known?.complete === true
    const results = kept ? known : await runTrial(engine, trial, path, init)
    all.push({ variant: trial.variant, seed: trial.seed, results })
    init.onDone(all.length, { total: trials.length, kept })
  }
  return all
}

async function runTrial(
  engine: Engine,
  trial: Trial,
  path: string | undefined,
  init: ExperimentInit,
): Promise<Results> {
  const { events, environment, signal } = init
  const scenario = await trial.scenario()
  if (path === undefined) return await runScenario(engine, { scenario, events: 'none', environment, signal })
  // what an interrupted one left
  await rm(path, { recursive: true, force: true })
  const output = await createOutputFolder(path, scenario)
  const results = await runScenario(engine, { scenario, events, eventsPath: output.eventsPath, environment, signal })
  await output.write(results)
  return results
}

/** Makes the folder of an experiment, or goes on in one that was begun with the same description. */
export async function openExperiment(folder: string, description: object): Promise<void> {
  const file = join(folder, 'experiment.json')
  const text = `${JSON.stringify(description, null, 2)}\n`
  await makeFolder(folder)
  const before = await readText(file, file, '').catch(() => undefined)
  if (before !== undefined && before !== text) {
    throw new InputError(`${folder} holds another experiment, or one of another scenario; name a new folder`)
  }
  if (before === undefined) await replaceFile(file, text)
}

/** Values and seeds are a person's words: one folder each, and never a path. */
function fileName(text: string): string {
  return (
    text
      .replaceAll(/[^\w.=-]/g, '_')
      .replace(/^\.+/, '_')
      .slice(0, 100) || '_'
  )
}
