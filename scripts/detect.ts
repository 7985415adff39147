import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { allFaults, type Fault } from './faults/fault.ts'

/**
 * Do random scenarios find each fault? Runs `sim fuzz --patch` with each of them and each of three fixed seeds, and writes what was
 * found into a folder. Runs whose result is there are not run again: the same command goes on after Ctrl-C.
 */
const USAGE = 'npm run detect -- --out DIR [--minutes N] [NAME...]'
const SEEDS = ['detect-1', 'detect-2', 'detect-3']
/** A fault counts as found where so many seeds find it. */
const SEEDS_THAT_FIND = 2
const MAIN = ['--conditions=thundercloud-source', '--no-warnings', join(import.meta.dirname, '../src/cli/main.ts')]

type Found = {
  readonly fault: string
  readonly seed: string
  readonly minutes: number
  readonly runs: number
  readonly breaks: string | null
  /** of the scenario that was made smaller */
  readonly nodes: number | null
  readonly instructions: number | null
}
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
for (const fault of faults) for (const seed of SEEDS) found.push(await tryOut(fault, seed))
const detected = faults.filter(
  ({ name }) => found.filter((each) => each.fault === name && each.breaks !== null).length >= SEEDS_THAT_FIND,
)
writeResult(join(folder, 'detection.json'), {
  minutes,
  faults: faults.length,
  detected: detected.map(({ name }) => name),
  found,
})
console.log(
  `${detected.length} of ${faults.length} faults were found with at least ${SEEDS_THAT_FIND} of ${SEEDS.length} seeds.`,
)

async function tryOut(fault: Fault, seed: string): Promise<Found> {
  const path = join(folder, `${fault.name}-${seed}.json`)
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Found) : undefined
  const result = before?.minutes === minutes ? before : await fuzz(fault, seed)
  if (result !== before) writeResult(path, result)
  const { breaks, runs, nodes, instructions } = result
  const what = breaks === null ? 'nothing' : `${breaks}, ${nodes} nodes, ${instructions} instructions`
  console.log(`${fault.name}, ${seed}: ${what} after ${runs} scenarios`)
  return result
}

async function fuzz({ name, engine, patch }: Fault, seed: string): Promise<Found> {
  const scenario = join(folder, `${name}-${seed}-scenario.json`)
  rmSync(scenario, { force: true })
  const budget = ['--runs', '1000000', '--minutes', `${minutes}`]
  const line = ['sim', 'fuzz', '--engine', engine, '--seed', seed, ...budget, '--patch', patch, '--out', scenario]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...MAIN, ...line, '--json']).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  )
  if (stdout === '') throw new Error(`${name} did not run: ${stderr.trim()}`)
  const { runs, failure } = JSON.parse(stdout) as Printed
  const { nodes, instructions } = failure?.scenario ?? {}
  return {
    ...{ fault: name, seed, minutes, runs, breaks: failure?.breaks ?? null },
    ...{ nodes: nodes ?? null, instructions: instructions?.length ?? null },
  }
}

function namesOf(some: readonly Fault[]): string {
  return some.map(({ name }) => name).join(', ')
}

function writeResult(path: string, value: object): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}
