import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { createRunnerHost, type RunnerEvents, type RunnerHost } from '../../../src/runner/index.ts'
import { benchConfig, benchService, benchSnapshot } from './services.ts'

const ROUNDS = 7
/** Long enough that one pause does not decide a round, short enough that seven take seconds. */
const VERDICTS = 40_000
/** What waits for a verdict at once: as much as a busy intake has under way. */
const UNDER_WAY = 512

/**
 * Verdicts of Andromeda through the real loader: the operator's runner.js, in its confined process, asked over its pipe.
 * Every rule is asked and has something to do: NETCAP, storage hosts, prices, shared containers, a quorum of three hubs
 * out of five, two freeze statements, a full node where the capacity rule names the services to evict.
 */
export async function runRunnerBench({
  json,
  rounds = ROUNDS,
}: {
  json: boolean
  rounds?: number
}): Promise<{ verdictsPerSecond: number; p99DelayMs: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  try {
    const folder = join(dir, 'andromeda')
    await mkdir(folder, { mode: 0o700 })
    const entry = join(folder, 'runner.js')
    await writeFile(entry, "export { default } from 'thundercloud/andromeda'\n")
    const config = benchConfig()
    await using host = createRunnerHost(
      {
        clock: systemClock(),
        log: createLog({ level: 'warn', write: (line) => console.error(line) }),
        events: createEvents<RunnerEvents>(),
      },
      { entry, dir: folder, config, network: false },
    )
    await host.start()
    const services = Array.from({ length: 1000 }, (_, index) => benchService(index))
    const measured: { perSecond: number; p99Ms: number; maxMs: number; cpuMs: number }[] = []
    for (let round = -1; round < rounds; round++) {
      const ask = askerOf(host, services, config)
      const delay = monitorEventLoopDelay({ resolution: 1 })
      const cpu = process.cpuUsage()
      const startedAt = performance.now()
      delay.enable()
      await Promise.all(Array.from({ length: UNDER_WAY }, () => ask()))
      delay.disable()
      const ms = performance.now() - startedAt
      const { user, system } = process.cpuUsage(cpu)
      if (round < 0) continue
      const line = {
        perSecond: Math.round((VERDICTS / ms) * 1000),
        p99Ms: Number((delay.percentile(99) / 1e6).toFixed(2)),
        maxMs: Number((delay.max / 1e6).toFixed(2)),
        cpuMs: Math.round((user + system) / 1000),
      }
      measured.push(line)
      say({ round, ...line }, `${round}: ${line.perSecond} verdicts/s, event loop p99 ${line.p99Ms} ms`)
    }
    const summary = {
      bench: 'runner',
      verdicts: VERDICTS,
      rounds,
      underWay: UNDER_WAY,
      verdictsPerSecond: median(measured.map(({ perSecond }) => perSecond)),
      p99DelayMs: median(measured.map(({ p99Ms }) => p99Ms)),
      worstP99DelayMs: Math.max(...measured.map(({ p99Ms }) => p99Ms)),
      maxDelayMs: Math.max(...measured.map(({ maxMs }) => maxMs)),
      /** of the node's own thread for one verdict; the rules run beside it */
      nodeCpuMicroseconds: Math.round((median(measured.map(({ cpuMs }) => cpuMs)) * 1000) / VERDICTS),
      cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    }
    say(
      summary,
      `${summary.verdictsPerSecond} verdicts/s with every rule, through the runner's process; ` +
        `event loop p99 ${summary.p99DelayMs} ms (worst round ${summary.worstP99DelayMs}), longest pause ${summary.maxDelayMs} ms`,
    )
    return summary
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** One of many that ask, each for the next verdict when it has its last one, until all are had. */
function askerOf(
  host: RunnerHost,
  services: readonly ReturnType<typeof benchService>[],
  config: ReturnType<typeof benchConfig>,
): () => Promise<void> {
  let asked = 0
  return async () => {
    while (asked < VERDICTS) {
      const service = services[asked++ % services.length] as ReturnType<typeof benchService>
      const verdict = await host.decide(service, benchSnapshot(config))
      const answered = verdict.reasons.length === 13 && verdict.run !== false && verdict.evict?.length === 1
      if (!answered) throw new Error(`the runner answered ${JSON.stringify(verdict)}`)
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
