import { fork } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setup } from '../../../test/build.ts'
import { FILES, type Message, type Pair } from './pair.ts'

const ROUNDS = 20
/** Where other programs keep the machine busy, no figure is judged. */
const QUIET_LOAD = 0.5
const BOUNDS = { coldOverheadMs: 150, warmRatio: 0.15, hostColdRatio: 1.5, hostWarmRatio: 0.25, warmMib: 50 } as const
/** What each kind of start is called, and how it is compared; those with nothing warm stand beside, without a bound. */
const KINDS = {
  host: {
    nothing: ['hostNothingWarmRatio', ratio],
    gateways: ['hostColdRatio', ratio],
    programs: ['hostWarmRatio', ratio],
  },
  docker: {
    nothing: ['nothingWarmOverheadMs', overhead],
    gateways: ['coldOverheadMs', overhead],
    programs: ['warmRatio', ratio],
  },
} as const satisfies Record<Pair['executor'], Record<Pair['warm'], readonly [string, (pair: Pair) => number]>>
const STEPS = ['verdict', 'fetching', 'starting', 'running', 'line'] as const

/**
 * From the bytes of an announcement at the node's intake, verdict and journal included, to the first line of output that
 * a reader of the log has. The code is stored and unpacked, the image is there, nothing is built. Each start is compared
 * with what the same takes without a node, right before it: dockerode's own create, start and log; bubblewrap with Node.
 */
export async function runStartBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }): Promise<void> {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const load = Number((loadavg()[0] as number).toFixed(2))
  await using stack = new AsyncDisposableStack()
  stack.defer(await setup())
  const pairs: Pair[] = []
  const figures: Record<string, number> = {}
  await measure(rounds, (message) => {
    if ('warmMib' in message) return void Object.assign(figures, message)
    if ('notMeasured' in message) return say(message, `not measured: ${message.notMeasured}`)
    pairs.push(message)
    const { executor, warm, files, round, ours, baseline } = message
    const [ms, baselineMs] = [Math.round(ours.line), Math.round(baseline)]
    const text = `${round}  ${executor}, ${warm} warm, ${files} files: ${ms} ms, without a node ${baselineMs} ms`
    say({ round, executor, warm, files, ms, baselineMs }, text)
  })
  for (const some of Map.groupBy(pairs, ({ executor, warm, files }) => `${executor} ${warm} ${files}`).values()) {
    const { executor, warm, files } = some[0] as Pair
    const suffix = files === FILES[0] ? '' : `${files}`
    const at = STEPS.map((step) => [step, Math.round(median(some.map(({ ours }) => ours[step] ?? 0)))] as const)
    const text = `${executor}, ${warm} warm, ${files} files: ${at.map(([step, ms]) => `${step} ${ms} ms`).join(', ')}`
    say({ executor, warm, files, afterMs: Object.fromEntries(at) }, text)
    const [name, compare] = KINDS[executor][warm]
    figures[`${name}${suffix}`] = Number(median(some.map(compare)).toFixed(2))
    if (executor === 'host' && warm === 'programs')
      figures[`hostWarmP95Ms${suffix}`] = Math.round(p95(some.map(({ ours }) => ours.line)))
  }
  const judged = load <= QUIET_LOAD
  const missed = Object.entries(BOUNDS).filter(([key, bound]) => (figures[key] ?? 0) > bound)
  const verdict = judged
    ? missed.map(([key, bound]) => `${key} is over its bound, ${bound}`).join(', ') || 'within the bounds'
    : `nothing is judged, for the load before was over ${QUIET_LOAD}`
  const shown = Object.entries({ ...figures, load }).map(([key, value]) => `${key} ${value}`)
  const ok = judged ? missed.length === 0 : undefined
  say({ bench: 'start', rounds, ...figures, load, judged, ok }, `${shown.join(', ')}: ${verdict}`)
  if (ok === false) process.exitCode = 1
}

async function measure(rounds: number, onMessage: (message: Message) => void): Promise<void> {
  const built = new URL('../../../test/built-sources.ts', import.meta.url).href
  const child = fork(fileURLToPath(new URL('./rounds.ts', import.meta.url)), ['--rounds', `${rounds}`], {
    execArgv: [...process.execArgv, '--import', built],
  })
  child.on('message', (message) => onMessage(message as Message))
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`the rounds ended with ${status}`)
}

/** Of the pairs, not of the medians: what slows a machine down slows both of a pair. */
function overhead({ ours, baseline }: Pair): number {
  return ours.line - baseline
}

function ratio({ ours, baseline }: Pair): number {
  return ours.line / baseline
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] as number
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
