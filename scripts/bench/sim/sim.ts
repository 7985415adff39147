import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { systemClock } from '../../../src/base/clock.ts'
import { createVirtualEngine } from '../../../src/simulation/virtual/virtual-engine.ts'
import { busy, hard, plain } from './scenarios.ts'

const MILLION = 1_000_000
const MIB = 1024 * 1024

const PARTS = {
  plain: { bound: 'millionNodesSeconds', seconds: 10, make: () => plain(MILLION) },
  hard: { bound: 'hardMillionSeconds', seconds: 30, make: () => hard(MILLION) },
  busy: { bound: 'hundredServicesSeconds', seconds: 30, make: () => busy(10_000, 100) },
}
type Part = keyof typeof PARTS
/** Of the hard part. */
const MEMORY_BOUND_MIB = 1536

type Measured = {
  readonly part: Part
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMiB: number
  readonly events: number
  readonly delivered: number
  readonly sha256: string
}

/** The virtual engine, each scenario in a process of its own: their memory is measured too. */
export async function runSimBench({ json }: { json: boolean }): Promise<void> {
  const say = (line: object, sentence: string) => console.log(json ? JSON.stringify(line) : sentence)
  const results: Measured[] = []
  for (const part of Object.keys(PARTS) as Part[]) {
    const measured = await measure(part)
    results.push(measured)
    const { seconds, cpuSeconds, peakMiB, delivered } = measured
    say(
      measured,
      `${part}: ${seconds.toFixed(1)} s (bound ${PARTS[part].seconds}), ${cpuSeconds.toFixed(1)} s of CPU, ${peakMiB} MiB, ${delivered} deliveries`,
    )
  }
  const result = {
    ...Object.fromEntries(results.map(({ part, seconds }) => [PARTS[part].bound, seconds])),
    hardPeakMiB: results.find(({ part }) => part === 'hard')?.peakMiB,
    ok: results.every(({ part, seconds, peakMiB }) => {
      return seconds <= PARTS[part].seconds && (part !== 'hard' || peakMiB <= MEMORY_BOUND_MIB)
    }),
  }
  say(result, result.ok ? 'all within their bounds' : 'beyond a bound')
  if (!result.ok) process.exitCode = 1
}

async function measure(part: Part): Promise<Measured> {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, part], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = text(child.stdout)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the part "${part}" ended with ${code}`)
  return JSON.parse(await output) as Measured
}

async function runPart(part: Part): Promise<void> {
  const scenario = await PARTS[part].make()
  const outcome = await createVirtualEngine({ clock: systemClock() }).run(scenario, { events: 'none' })
  const { user, system } = process.cpuUsage()
  const measured: Measured = {
    part,
    seconds: outcome.elapsedSeconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: Math.round(outcome.peakMemoryBytes / MIB),
    events: outcome.events,
    delivered: outcome.counts.delivered ?? 0,
    sha256: outcome.sha256,
  }
  console.log(JSON.stringify(measured))
}

if (import.meta.main) await runPart(process.argv[2] as Part)
