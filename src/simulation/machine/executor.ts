import { raceSignal } from 'race-signal'
import { type Clock, sleep } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Disk } from '../../base/os/disk.ts'
import { CONNECT_PATIENCE_MS } from '../../execution/constants.ts'
import type { LogLimits } from '../../execution/index.ts'
import type { AdoptedRun, Executor, Plan, Run } from '../../execution/types.ts'
import type { Programs } from './program.ts'
import { type SimulatedRun, startSimulatedRun } from './simulated-run.ts'

/** Looks for a port that does not listen yet. */
const CONNECT_AGAIN_MS = 50
/** From the order to start a program to its first instruction. */
const START_MS = 40

/** What runs on a simulated machine. It outlives the nodes, as processes do. */
export type RunTable = Map<string, { readonly nodeId: string; readonly run: SimulatedRun }>

export type SimulatedExecutorInit = {
  readonly nodeId: string
  readonly programs: Programs
  readonly logs: LogLimits
  readonly table: RunTable
}

/** Runs programs that are functions. It has the place of the host's executor: no process, no limit, no network. */
export function createSimulatedExecutor(
  components: { readonly clock: Clock; readonly disk: Disk },
  { nodeId, programs, logs, table }: SimulatedExecutorInit,
): Executor {
  const { clock } = components
  const handleOf = ({ runId }: Plan) => ({ runId })

  const checks = new Set<string>()
  const entered = (runId: string) => {
    checks.add(runId)
    return { [Symbol.dispose]: () => void checks.delete(runId) }
  }

  function runOf(simulated: SimulatedRun): Run {
    const { plan, startedAt } = simulated
    return {
      handle: handleOf(plan),
      startedAt,
      wait: ({ signal } = {}) => raceSignal(simulated.end, signal),
      stop: async ({ graceMs, reason = 'stopped' }) => simulated.terminate(graceMs, reason),
      stats: async () => ({ memoryBytes: plan.grant.memoryBytes / 2, cpuMs: 0, pids: 1 }),
      reachable: async () => !simulated.hasEnded,
      async check(command, { timeoutMs, signal }) {
        if (checks.has(plan.runId)) throw new UnavailableError('another check of the run has not ended')
        using _check = entered(plan.runId)
        const check = startSimulatedRun(components, {
          plan: { ...plan, command, logDir: `${plan.logDir}.check` },
          program: programs[command[0] ?? ''],
          logs,
        })
        const late = clock.after(timeoutMs, () => check.terminate(0, 'timeout'))
        const { exitCode, reason } = await raceSignal(check.end, signal)
        late.cancel()
        if (reason === 'timeout') throw new TimeoutError(`the check takes longer than ${timeoutMs} ms`)
        return exitCode
      },
      async connect(port, { signal, patienceMs = CONNECT_PATIENCE_MS } = {}) {
        if (!plan.ports.includes(port)) throw new UnavailableError(`the port ${port} is not declared`)
        const until = clock.monotonic() + patienceMs
        for (;;) {
          const connection = simulated.connect(port)
          if (connection !== undefined) return connection
          if (simulated.hasEnded || clock.monotonic() >= until) {
            throw new UnavailableError(`nothing listens on port ${port} of the run`)
          }
          await sleep(clock, CONNECT_AGAIN_MS, { signal })
        }
      },
    }
  }

  return {
    name: 'host',
    available: async () => ({
      available: true,
      detail: 'a simulated machine',
      unenforcedLimits: ['memory', 'cpu', 'disk', 'pids'],
    }),
    builderId: async () => 'host: a simulated machine',
    handle: handleOf,
    async start(plan, { signal } = {}) {
      await sleep(clock, START_MS, { signal })
      const program = programs[plan.command[0] ?? '']
      const run = startSimulatedRun(components, { plan, program, logs })
      table.set(plan.runId, { nodeId, run })
      return runOf(run)
    },
    async adopt() {
      const mine = [...table.values()].filter((entry) => entry.nodeId === nodeId)
      return mine.map(({ run }): AdoptedRun => {
        const { runId, service, purpose } = run.plan
        return { runId, service, purpose, state: run.hasEnded ? 'ended' : 'running', run: runOf(run) }
      })
    },
    async remove(handle) {
      const { runId } = handle as { runId: string }
      const entry = table.get(runId)
      if (entry === undefined) return
      entry.run.terminate(0, 'stopped')
      await entry.run.end
      table.delete(runId)
    },
  }
}
