import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type Detection, detectionTable, foundFaults, holdsIn, isFound, SEEDS_THAT_FIND } from './faults/detection.ts'
import { allFaults, type Fault } from './faults/fault.ts'
import type { Ran } from './faults/patched-tree.ts'

/**
 * Do random scenarios find each fault? Runs `sim fuzz --patch` with each of them and each of three fixed seeds, runs what it finds
 * again without the patch, and writes both into a folder, with a table. Runs whose result is there are not run again: the same command goes on after Ctrl-C.
 */
const USAGE = 'npm run detect -- --out DIR [--minutes N] [NAME...]'
const SEEDS = ['detect-1', 'detect-2', 'detect-3']
/** The results of a run, and what may be said beside them. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
const MAIN = ['--conditions=thundercloud-source', '--no-warnings', join(import.meta.dirname, '../src/cli/main.ts')]

type Found = Detection & { readonly minutes: number; readonly runs: number }
type Printed = {
  readonly runs: number
  readonly failure: {
    readonly breaks: string
    readonly scenario: { readonly nodes: number; readonly instructions: readonly object[] }
  } | null
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, minutes: { type: 'string', default: '6' } },
})
const minutes = Number(values.minutes)
const faults = allFaults().filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const isWrong = faults.length === 0 || !Number.isInteger(minutes) || minutes < 1
if (values.out === undefined || isWrong || new Set(positionals).size > faults.length) {
  console.error(`${USAGE}\nN is a whole number from 1 (default: 6), NAME a fault: ${namesOf(allFaults())}`)
  process.exit(2)
}
const folder = resolve(values.out)
mkdirSync(folder, { recursive: true })
const found: Found[] = []
// where it is interrupted, the first seed has tried them all
for (const seed of SEEDS) for (const fault of faults) found.push(await tryOut(fault, seed))
const detected = foundFaults(faults, found)
writeResult(join(folder, 'detection.json'), { minutes, faults: faults.length, detected, found })
writeFileSync(join(folder, 'detection.md'), detectionTable(faults, found))
console.log(
  `${detected.length} of ${faults.length} faults were found with at least ${SEEDS_THAT_FIND} of ${SEEDS.length} seeds.`,
)

async function tryOut(fault: Fault, seed: string): Promise<Found> {
  const path = join(folder, `${fault.name}-${seed}.json`)
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Found) : undefined
  const result =
    before?.minutes === minutes && before.holdsWithoutPatch !== undefined ? before : await detect(fault, seed)
  if (result !== before) writeResult(path, result)
  console.log(`${fault.name}, ${seed}: ${sentenceOf(result)} after ${result.runs} scenarios`)
  return result
}

function sentenceOf(found: Found): string {
  if (found.breaks === null) return 'nothing'
  const { breaks, nodes, instructions } = found
  const what = `${breaks}, ${nodes} nodes, ${instructions} instructions`
  return isFound(found) ? what : `${what} (does not count: the same without the patch)`
}

async function detect({ name, engine, patch }: Fault, seed: string): Promise<Found> {
  const scenario = join(folder, `${name}-${seed}-scenario.json`)
  rmSync(scenario, { force: true })
  const budget = ['--runs', '1000000', '--minutes', `${minutes}`]
  const line = ['sim', 'fuzz', '--engine', engine, '--seed', seed, ...budget, '--patch', patch, '--out', scenario]
  const { stdout, stderr } = await runMain([...line, '--json'])
  if (stdout === '') throw new Error(`${name} did not run: ${stderr.trim()}`)
  const { runs, failure } = JSON.parse(stdout) as Printed
  const { nodes, instructions } = failure?.scenario ?? {}
  const breaks = failure?.breaks ?? null
  const holdsWithoutPatch = breaks === null ? null : await holdsIn(runMain, { scenario, engine, breaks })
  return {
    ...{ fault: name, seed, minutes, runs, breaks, holdsWithoutPatch },
    ...{ nodes: nodes ?? null, instructions: instructions?.length ?? null },
  }
}

function runMain(line: readonly string[]): Promise<Ran> {
  return promisify(execFile)(process.execPath, [...MAIN, ...line], { maxBuffer: MAX_OUTPUT_BYTES }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
  )
}

function namesOf(some: readonly Fault[]): string {
  return some.map(({ name }) => name).join(', ')
}

function writeResult(path: string, value: object): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}
