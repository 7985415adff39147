import { anySignal } from 'any-signal'
import { sleep } from '../../base/clock.ts'
import { formatBytes, formatMs, howMany, sanitizeText } from '../../base/format.ts'
import { type RunUsage, ratesOf } from '../../base/run-usage.ts'
import type { ServiceView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { command, duration, flag } from '../command.ts'
import { EXIT, InterruptedError } from '../errors.ts'
import { table } from '../output/output.ts'
import { idFormats } from '../output/text.ts'
import { keepAlive } from '../wait-for-exit.ts'

const CTRL_C = '\u0003'

/** Runs that are shown; a node may have more, and a terminal has no place for them. */
const MAX_RUNS = 200

export const top = command({
  name: 'top',
  summary: 'What runs on the node, and what it uses, the busiest first',
  details: [
    'CPU is the share of one core, and the rates are what its network carried, over the newest period that the node has measured (a minute, as a rule).',
    'The other measures are of the end of that period. "-": the node has not measured the run yet; with --json, the fields are missing.',
    '`usage SERVICE` shows how that went over the last days.',
    'At a terminal, `q` ends it. Where the output goes elsewhere it looks once; with --json it goes on, one object for each look.',
    'Example: thundercloud top --every 5s',
  ].join('\n'),
  args: {},
  options: { every: duration('between two looks', '2s'), once: flag('look once') },
  async run(cli, { every, once }) {
    const leave = new AbortController()
    const signal = anySignal([cli.signal, leave.signal])
    using _alive = keepAlive()
    using _keys = cli.onKey((key) => {
      if (key === 'q') leave.abort(new InterruptedError('ended', EXIT.ok))
      if (key === CTRL_C) leave.abort(new InterruptedError('interrupted', 130))
    })
    try {
      await look(cli, { once, everyMs: every * 1000, signal })
    } catch (error) {
      leave.signal.throwIfAborted()
      throw error
    } finally {
      signal.clear()
    }
  },
})

async function look(cli: Cli, options: { once: boolean; everyMs: number; signal: AbortSignal }): Promise<void> {
  const { clock, out } = cli
  const { once, everyMs, signal } = options
  const client = await nodeClient(cli)
  for (;;) {
    const health = await client.health({ signal })
    const page = await client.lists.services({ states: ['running', 'accepted'], limit: MAX_RUNS }, { signal })
    const runs = page.services.flatMap(runOf).sort(busiestFirst)
    const { running, peers, drain, paused } = health
    out.frame({ event: 'top', running, peers, runs }, () => [
      [
        `${howMany(running, 'run', 'runs')}, ${howMany(peers, 'peer', 'peers')}, up for ${formatMs(health.uptimeSeconds * 1000)}`,
        ...(drain === undefined ? [] : ['drained']),
        ...(paused === undefined ? [] : ['paused']),
      ].join(', '),
      ...rowsOf(cli, runs),
    ])
    if (once || !(out.terminal || out.json)) return
    await sleep(clock, everyMs, { signal })
  }
}

type Run = Partial<Measures> & {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly executor: string
  readonly restarts: number
}

/** `cpu`: of one core; rates in bytes a second. */
type Measures = {
  readonly cpu: number
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly receivedRate: number
  readonly sentRate: number
  readonly runningMs: number
}

function runOf({ id, name, run }: ServiceView): Run[] {
  if (run === undefined) return []
  const { state, executor, restarts, usage } = run
  return [{ id, name, state, executor, restarts, ...(usage && measuresOf(usage)) }]
}

function busiestFirst(a: Run, b: Run): number {
  return (b.cpu ?? 0) - (a.cpu ?? 0) || (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0)
}

function measuresOf({ period, memoryBytes, diskBytes, runningMs }: RunUsage): Measures {
  const { cpu, received, sent } = ratesOf(period)
  return { ...{ memoryBytes, diskBytes, runningMs }, cpu, receivedRate: received, sentRate: sent }
}

function rowsOf({ out }: Cli, runs: readonly Run[]): string[] {
  if (runs.length === 0) return ['Nothing runs here.']
  const { id } = idFormats(out.terminal)
  const rows = runs.map((run) => [
    sanitizeText(run.name, 32),
    run.state,
    measured(run.cpu, (cpu) => `${(cpu * 100).toFixed(1)}%`),
    measured(run.memoryBytes, formatBytes),
    measured(run.diskBytes, formatBytes),
    measured(run.receivedRate, (rate) => `${formatBytes(rate)}/s`),
    measured(run.sentRate, (rate) => `${formatBytes(rate)}/s`),
    measured(run.runningMs, formatMs),
    String(run.restarts),
    run.executor,
    id(run.id),
  ])
  return table(['NAME', 'STATE', 'CPU', 'MEMORY', 'DISK', 'IN', 'OUT', 'TIME', 'RESTARTS', 'WHERE', 'ID'], rows)
}

/** A zero would be a measure. */
function measured(amount: number | undefined, format: (amount: number) => string): string {
  return amount === undefined ? '-' : format(amount)
}
