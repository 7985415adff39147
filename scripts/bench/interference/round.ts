import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../gossip/implementation.ts'
import { watchMachine } from '../links/links.ts'
import type { Arrivals, Moments } from './node.ts'
import type { GossipNode } from './start-node.ts'

/** An announcement that is not there by then is lost. */
const PATIENCE_MS = 5000
const LOOK_EVERY_MS = 100

type Latency = { readonly p50Ms: number; readonly p99Ms: number }
export type Round = {
  /** From the publisher to the verdict of the observed node. */
  readonly received: Latency
  /** From the publisher to the verdict of the node behind the observed one. */
  readonly forwarded: Latency
  readonly missing: number
  /** Of the observed node, with a node of the row, and under load with any peer: the others are idle, and closed for it. */
  readonly lostConnections: number
  readonly transfers: number
  readonly busy: number
}
export type Row = { readonly publisher: GossipNode; readonly observed: GossipNode; readonly next: GossipNode }
/** Transfers that go on from start to stop; `stop` says how many came whole. */
export interface Load {
  start(): Promise<void>
  stop(): Promise<number>
}

/** Announces down the row for a while, under this load. */
export async function playRound(
  { publisher, observed, next }: Row,
  { seconds, perSecond, load }: { seconds: number; perSecond: number; load?: Load | undefined },
): Promise<Round> {
  for (const node of [publisher, observed, next]) await node.takeArrivals()
  await load?.start()
  const machine = watchMachine()
  const sent = await publisher.announce(seconds * perSecond, 1000 / perSecond)
  const busy = round(machine(), 2)
  const transfers = load === undefined ? 0 : await load.stop()
  const arrived = { observed: [] as Arrivals[], next: [] as Arrivals[] }
  for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_EVERY_MS) {
    arrived.observed.push(await observed.takeArrivals())
    arrived.next.push(await next.takeArrivals())
    if (missingOf(sent, arrived.observed) + missingOf(sent, arrived.next) === 0) break
    await sleep(LOOK_EVERY_MS)
  }
  const isUsed = (peer: string) => load !== undefined || [publisher, next].some(({ address }) => address.endsWith(peer))
  return {
    received: latencyOf(sent, arrived.observed),
    forwarded: latencyOf(sent, arrived.next),
    missing: missingOf(sent, arrived.observed) + missingOf(sent, arrived.next),
    lostConnections: arrived.observed.flatMap(({ lost }) => lost).filter(isUsed).length,
    transfers,
    busy,
  }
}

function missingOf(sent: Moments, arrived: readonly Arrivals[]): number {
  const ids = new Set(arrived.flatMap(({ moments }) => moments.map(([id]) => id)))
  return sent.filter(([id]) => !ids.has(id)).length
}

function latencyOf(sent: Moments, arrived: readonly Arrivals[]): Latency {
  const arrivedAt = new Map(arrived.flatMap(({ moments }) => moments))
  const times = sent.flatMap(([id, at]) => {
    const then = arrivedAt.get(id)
    return then === undefined ? [] : [then - at]
  })
  return { p50Ms: round(quantile(times, 0.5), 1), p99Ms: round(quantile(times, 0.99), 1) }
}
