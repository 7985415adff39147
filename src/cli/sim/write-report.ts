import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { errnoOf, InputError, messageOf, UnavailableError } from '../../base/errors.ts'
import {
  comparisonReport,
  loadPlotter,
  type OutputFolder,
  type Picture,
  type Plotter,
  type Results,
  runPictures,
  runReport,
  type Scenario,
  type SweepInit,
  svgFile,
  sweepPictures,
  sweepReport,
} from '../../simulation/index.ts'
import type { Cli } from '../cli.ts'

const [REPORT, PLOTS] = ['report.html', 'plots']

export async function writeReport(cli: Cli, output: OutputFolder, scenario: Scenario, results: Results): Promise<void> {
  const plotter = await plotterOf(cli)
  if (plotter === undefined) return
  await output.writeText(REPORT, runReport(plotter, scenario, results))
  await writePictures(output.path, runPictures(plotter, results))
}

export async function writeSweepReport(cli: Cli, folder: string, init: SweepInit): Promise<void> {
  const plotter = await plotterOf(cli)
  if (plotter === undefined) return
  await writeReportFile(join(folder, REPORT), sweepReport(plotter, init))
  await writePictures(folder, sweepPictures(plotter, init))
}

export async function writeComparisonReport(
  cli: Cli,
  file: string,
  ...of: Parameters<typeof comparisonReport> extends [Plotter, ...infer Rest] ? Rest : never
): Promise<void> {
  const plotter = await plotterOf(cli)
  if (plotter === undefined) return
  const text = comparisonReport(plotter, ...of)
  cli.signal.throwIfAborted()
  await writeReportFile(file, text)
}

/** Each plot as a file, for papers and pages. */
async function writePictures(folder: string, pictures: readonly Picture[]): Promise<void> {
  await mkdir(join(folder, PLOTS), { recursive: true })
  for (const picture of pictures) await writeReportFile(join(folder, PLOTS, `${picture.name}.svg`), svgFile(picture))
}

/** Results are worth having without pictures. */
async function plotterOf(cli: Cli): Promise<Plotter | undefined> {
  return await loadPlotter().catch((error: unknown) => {
    if (!(error instanceof UnavailableError)) throw error
    cli.out.note(`There is no report: ${messageOf(error)}.`)
    return undefined
  })
}

/** What it replaces is not kept: runs make it again. */
async function writeReportFile(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(path, text)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    const why = errnoOf(error) === 'ENOENT' ? 'its folder is not there' : messageOf(error)
    throw new InputError(`${path} cannot be written: ${why}`, { cause: error })
  }
}
