import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { holdsIn } from './faults/detection.ts'
import { allFaults } from './faults/fault.ts'
import { howMany } from './faults/how-many.ts'
import type { Ran } from './faults/patched-tree.ts'

/**
 * Is the simulator to be relied on? Random scenarios break nothing in the sources as they are, they find two known faults, and
 * a run gives the same events again. Prints a line for each, and ends with 1 where one of them is not so.
 */
const MINUTES = { simulated: 5, virtual: 4 } as const
/** No more than this, also on a quick machine: what is checked is the same wherever the minutes suffice. Where not, it is said. */
const RUNS = { simulated: 14, virtual: 16_000 } as const
/** Faults of different parts, which random scenarios find soon, and a seed that finds each. */
const FAULTS = ['gate-forwards-what-is-refused', 'stop-leaves-runs']
const FAULT_MINUTES = 4
/** As many parts side by side, where there are cores for them: each keeps one busy. */
const AT_A_TIME = 2
/** A scenario that is found is made as small as this. */
const MOST = { nodes: 8, instructions: 10 }
const PAIR = join(import.meta.dirname, 'faults/scenarios/crash.json')
const MAIN = ['--conditions=thundercloud-source', '--no-warnings', join(import.meta.dirname, '../src/cli/main.ts')]

type Printed = {
  readonly runs: number
  readonly failure: {
    readonly breaks: string
    readonly said: string
    readonly scenario: { readonly nodes: number; readonly instructions: readonly object[] }
  } | null
}

const folder = await mkdtemp(join(tmpdir(), 'thundercloud-laboratory-'))
/** Each is one process that keeps one core busy; the longest begins first. */
const parts = [
  () => holds('simulated'),
  () => holds('virtual'),
  ...FAULTS.map((name) => () => isFound(name)),
  givesTheSameAgain,
]
let failed = 0
try {
  const players = Array.from({ length: Math.min(AT_A_TIME, availableParallelism()) }, playParts)
  // what still runs writes into the folder
  const broken = (await Promise.allSettled(players)).find((player) => player.status === 'rejected')
  if (broken !== undefined) throw broken.reason
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

async function playParts(): Promise<void> {
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) await part()
}

async function holds(engine: keyof typeof RUNS): Promise<void> {
  const minutes = MINUTES[engine]
  const bounds = ['--runs', `${RUNS[engine]}`, '--minutes', `${minutes}`]
  const { runs, failure } = await fuzz(engine, 'laboratory', [...bounds, '--out', join(folder, `${engine}.json`)])
  // the one that breaks something ends the rest
  const ran = howMany(runs, failure === null ? { runs: RUNS[engine], minutes } : undefined)
  report(failure === null, `${engine}: ${ran} break ${failure?.breaks ?? 'nothing'}`)
  if (failure !== null) console.log(`${failure.said}\n${JSON.stringify(failure.scenario, null, 2)}`)
}

async function isFound(name: string): Promise<void> {
  const fault = allFaults().find((one) => one.name === name)
  if (fault === undefined) throw new Error(`no fault is called ${name}`)
  const scenario = join(folder, `${name}.json`)
  const { engine, patch } = fault
  const { runs, failure } = await fuzz(engine, 'detect-1', [
    ...['--runs', '1000000', '--minutes', `${FAULT_MINUTES}`],
    ...['--patch', patch, '--out', scenario],
  ])
  const it = `${name}: ${howMany(runs)} with ${relative(process.cwd(), patch)}`
  if (failure === null) return report(false, `${it} break nothing`)
  const { breaks } = failure
  const { nodes, instructions } = failure.scenario
  const holds = await holdsIn((line) => thundercloud(...line), { scenario, engine, breaks })
  const isSmall = nodes <= MOST.nodes && instructions.length <= MOST.instructions
  const without = holds ? 'it holds without the patch' : 'it does not hold without the patch either'
  report(
    holds && isSmall,
    `${it} break ${breaks}, at last with ${nodes} nodes and ${instructions.length} instructions; ${without}`,
  )
}

async function givesTheSameAgain(): Promise<void> {
  const out = join(folder, 'pair')
  const first = await thundercloud('sim', 'run', PAIR, '--engine', 'simulated', '--seed', 'laboratory', '--out', out)
  const again = first.code === 0 ? await thundercloud('sim', 'verify', out) : first
  const said = `${again.stdout}${again.stderr}`.trim().split('\n').at(-1)
  report(again.code === 0, `the same seed again: ${said}`)
}

async function fuzz(engine: string, seed: string, more: readonly string[]): Promise<Printed> {
  const { code, stdout, stderr } = await thundercloud(
    ...['sim', 'fuzz', '--engine', engine, '--seed', seed, ...more, '--json'],
  )
  const [line = ''] = stdout.split('\n')
  if (line === '') throw new Error(`sim fuzz ended with ${code}: ${stderr.trim()}`)
  return JSON.parse(line) as Printed
}

function report(ok: boolean, what: string): void {
  if (!ok) failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}`)
}

function thundercloud(...line: string[]): Promise<Ran> {
  return promisify(execFile)(process.execPath, [...MAIN, ...line], { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
  )
}
