import type { Edge } from '../../../test/fixtures/mesh/gossip-graph.ts'

/** What both implementations receive: the same for both, so that only what they do differs. */
export type Setup = { readonly nodes: number; readonly edges: readonly Edge[] }

/** A message that is ready to go out at a node. */
export type OutgoingMessage = { readonly key: string; readonly bytes: number; send(): Promise<void> }

/** One implementation in the comparison: 30 nodes in this process. */
export interface Implementation extends AsyncDisposable {
  /** Makes a message, before the clock runs. */
  prepare(node: number): OutgoingMessage
  /** Called each time a node has fully processed a new message of another node. */
  onDelivery(listener: (key: string) => void): void
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  /** CPU time so far of processes that this one started. */
  childCpuSeconds(): number
}

export type RoundResult = {
  readonly services: number
  readonly bytesEach: number
  readonly deliveries: number
  readonly expected: number
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly childCpuSeconds: number
  readonly perCpuSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Messages that are on their way at once: enough to keep every node busy, few enough that latency means something. */
const WINDOW = 10
/** A message that has not reached every node by then is counted with what arrived. */
const LOST_AFTER_MS = 20_000

/** Sends `count` messages, a window of them at once, each until it reached all nodes. */
export async function runRound(implementation: Implementation, { nodes }: Setup, count: number): Promise<RoundResult> {
  const messages = Array.from({ length: count }, (_, at) => implementation.prepare((at * 7) % nodes))
  const state = new Map(
    messages.map(({ key }) => [key, { sentAt: 0, left: nodes - 1, done: Promise.withResolvers<void>() }]),
  )
  const latencies: number[] = []
  implementation.onDelivery((key) => {
    const message = state.get(key)
    if (message === undefined) return
    latencies.push(performance.now() - message.sentAt)
    message.left--
    if (message.left === 0) message.done.resolve()
  })
  const queue = messages.values()
  const work = async () => {
    for (const { key, send } of queue) {
      const message = state.get(key)
      if (message === undefined) continue
      message.sentAt = performance.now()
      await send()
      await Promise.race([message.done.promise, new Promise((resolve) => setTimeout(resolve, LOST_AFTER_MS).unref())])
    }
  }
  const [startedAt, cpu, child] = [performance.now(), process.cpuUsage(), implementation.childCpuSeconds()]
  await Promise.all(Array.from({ length: WINDOW }, work))
  await implementation.idle()
  const used = process.cpuUsage(cpu)
  const childCpuSeconds = implementation.childCpuSeconds() - child
  const cpuSeconds = (used.user + used.system) / 1e6 + childCpuSeconds
  return {
    services: count,
    bytesEach: messages[0]?.bytes ?? 0,
    deliveries: latencies.length,
    expected: count * (nodes - 1),
    wallSeconds: round((performance.now() - startedAt) / 1000),
    cpuSeconds: round(cpuSeconds),
    childCpuSeconds: round(childCpuSeconds),
    perCpuSecond: Math.round(latencies.length / cpuSeconds),
    p50Ms: round(quantile(latencies, 0.5), 1),
    p99Ms: round(quantile(latencies, 0.99), 1),
  }
}

export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits))
}
