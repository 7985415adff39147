import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/atomic-file.ts'
import { errnoOf, InputError, messageOf } from '../../base/errors.ts'
import { readBytes, textToJson } from '../../config/index.ts'
import { check } from '../../config/settings-error.ts'
import { wholeScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { csvText } from './csv.ts'
import { makeFolder } from './make-folder.ts'
import { type Results, resultsSchema } from './results.ts'

const [SCENARIO, RESULTS, EVENTS, METRICS] = ['scenario.json', 'results.json', 'events.ndjson.zst', 'metrics'] as const
const MAX_BYTES = 256 * 1024 * 1024
const ADVICE = 'name a folder that `thundercloud sim run --out` has written'

/** All that a rerun needs, and what came of it. results.json is written last: a folder without it was not finished. */
export interface OutputFolder {
  readonly path: string
  readonly eventsPath: string
  write(results: Results): Promise<void>
  writeText(name: string, text: string): Promise<void>
}

/** Makes it, or takes an empty one. */
export async function createOutputFolder(path: string, scenario: Scenario): Promise<OutputFolder> {
  try {
    await makeFolder(path)
    if ((await readdir(path)).length > 0) throw new InputError(`${path} is not empty; name a new folder`)
    await mkdir(join(path, METRICS))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new InputError(`${path} cannot be made: ${messageOf(error)}`, { cause: error })
  }
  const writeText = async (name: string, text: string) => void (await replaceFile(join(path, name), text))
  await writeText(SCENARIO, `${JSON.stringify(scenario, null, 2)}\n`)
  return {
    path,
    eventsPath: join(path, EVENTS),
    writeText,
    async write(results) {
      for (const [name, table] of Object.entries(results.tables)) {
        await writeText(join(METRICS, `${name}.csv`), csvText(table))
      }
      const values = Object.entries(results.values)
      await writeText(join(METRICS, 'values.csv'), csvText({ columns: ['metric', 'value'], rows: values }))
      await writeText(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
    },
  }
}

export async function readOutputFolder(path: string): Promise<{ scenario: Scenario; results: Results }> {
  const file = join(path, SCENARIO)
  const scenario = await wholeScenario(await read(file), { file, folder: path })
  return { scenario, results: await readResults(path) }
}

export async function readResults(path: string): Promise<Results> {
  const file = join(path, RESULTS)
  return check(resultsSchema, await read(file), file)
}

/** Scenarios with all their links, and results with all their tables, are larger than what people write. */
async function read(path: string): Promise<unknown> {
  const bytes = await readBytes(path, { file: path, advice: ADVICE, maxBytes: MAX_BYTES })
  return textToJson(Buffer.from(bytes).toString('utf8'), path)
}

/** Undefined where there are none yet. */
export async function findResults(path: string): Promise<Results | undefined> {
  const there = await readFile(join(path, RESULTS)).catch(() => undefined)
  return there === undefined ? undefined : await readResults(path)
}
