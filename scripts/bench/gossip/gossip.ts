import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { denseGraph } from '../../../test/fixtures/mesh/gossip-graph.ts'
import { quantile, type RoundResult, round, type Setup } from './implementation.ts'
import { QUOTAS } from './nodes.ts'
import type { FromChild, Kind } from './process.ts'

const NODES = 30
/** Connections that the peer manager maintains (PEERS.LOW): a little more than gossipsub's mesh holds. */
const DEGREE = 8
const SEED = 'bench'
const SERVICES = 120
const ROUNDS = 3

/**
 * 30 nodes in one process, verifying, deciding, journalling and redirecting, against 30 raw gossipsub nodes in another,
 * on the same connections and with the same messages. Rounds alternate, so that what else the machine does hits both;
 * what counts is deliveries per second of CPU, the runner's process included.
 */
export async function runGossipBench({
  json,
  rounds = ROUNDS,
}: {
  json: boolean
  rounds?: number
}): Promise<{ ratio: number }> {
  const setup: Setup = { nodes: NODES, edges: denseGraph(NODES, DEGREE, SEED) }
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const implementations = { raw: start('raw', setup), thundercloud: start('thundercloud', setup) }
  const results: Record<Kind, RoundResult[]> = { raw: [], thundercloud: [] }
  try {
    for (const one of Object.values(implementations)) await one.ready
    for (let number = 0; number <= rounds; number++) {
      const order: Kind[] = number % 2 === 0 ? ['raw', 'thundercloud'] : ['thundercloud', 'raw']
      for (const kind of order) {
        const result = await implementations[kind].play(SERVICES)
        // the first round warms up
        if (number === 0) continue
        results[kind].push(result)
        say({ round: number, kind, ...result }, rowOf(number, kind, result))
      }
    }
  } finally {
    await Promise.all(Object.values(implementations).map((one) => one.end()))
  }
  const raw = mediansOf(results.raw)
  const thundercloud = mediansOf(results.thundercloud)
  const ratio = round(thundercloud.perCpuSecond / raw.perCpuSecond)
  const quotas = `raised by QUOTAS in node.json: ${JSON.stringify(QUOTAS)}`
  const summary = {
    bench: 'gossip',
    nodes: NODES,
    degree: DEGREE,
    seed: SEED,
    rounds,
    quotas,
    raw,
    thundercloud,
    ratio,
  }
  say(
    summary,
    `\nmedians     per CPU second   p50 ms   p99 ms\nraw          ${cells(raw)}\nthundercloud ${cells(thundercloud)}\n` +
      `quotas ${quotas}\nratio ${ratio}`,
  )
  return summary
}

function start(kind: Kind, setup: Setup) {
  const entry = fileURLToPath(new URL('./process.ts', import.meta.url))
  const child: ChildProcess = fork(entry, [kind, JSON.stringify(setup)], { execArgv: process.execArgv })
  const gone = once(child, 'exit')
  const next = async () => {
    const ended = gone.then(([code]) => Promise.reject(new Error(`the ${kind} nodes ended with ${code}`)))
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromChild]
    return message
  }
  return {
    ready: next(),
    async play(services: number): Promise<RoundResult> {
      child.send({ services })
      const message = await next()
      if (!('result' in message)) throw new Error('an answer to no question')
      return message.result
    },
    async end() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}

function mediansOf(results: readonly RoundResult[]) {
  const median = (of: (result: RoundResult) => number) => quantile(results.map(of), 0.5)
  return {
    perCpuSecond: median(({ perCpuSecond }) => perCpuSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
  }
}

function rowOf(number: number, kind: Kind, result: RoundResult): string {
  const { deliveries, expected, cpuSeconds, childCpuSeconds, perCpuSecond, p50Ms, p99Ms } = result
  return (
    `${number} ${kind.padEnd(12)} ${deliveries}/${expected} deliveries, ${cpuSeconds} s of CPU (runner ${childCpuSeconds}), ` +
    `${perCpuSecond} per CPU second, p50 ${p50Ms} ms, p99 ${p99Ms} ms`
  )
}

function cells({ perCpuSecond, p50Ms, p99Ms }: { perCpuSecond: number; p50Ms: number; p99Ms: number }): string {
  return `${String(perCpuSecond).padStart(13)} ${String(p50Ms).padStart(8)} ${String(p99Ms).padStart(8)}`
}
