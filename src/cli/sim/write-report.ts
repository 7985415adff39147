import { join } from 'node:path'
import { replaceFile } from '../../base/atomic-file.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import {
  loadPlotter,
  type OutputFolder,
  type Plotter,
  type Results,
  runReport,
  type Scenario,
  type SweepInit,
  sweepReport,
} from '../../simulation/index.ts'
import type { Cli } from '../cli.ts'

const REPORT = 'report.html'

export async function writeReport(cli: Cli, output: OutputFolder, scenario: Scenario, results: Results): Promise<void> {
  const plotter = await plotterOf(cli)
  if (plotter !== undefined) await output.writeText(REPORT, runReport(plotter, scenario, results))
}

export async function writeSweepReport(cli: Cli, folder: string, init: SweepInit): Promise<void> {
  const plotter = await plotterOf(cli)
  if (plotter !== undefined) await replaceFile(join(folder, REPORT), sweepReport(plotter, init))
}

/** Results are worth having without pictures. */
async function plotterOf(cli: Cli): Promise<Plotter | undefined> {
  return await loadPlotter().catch((error: unknown) => {
    if (!(error instanceof UnavailableError)) throw error
    cli.out.note(`There is no report: ${messageOf(error)}.`)
    return undefined
  })
}
