import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../gossip/implementation.ts'
import { createLinks, type ForkOptions, linksUnavailable } from '../links/links.ts'
import { type Node, startNode } from '../spread/start-node.ts'
import { type Load, playRound, type Round, type Row } from './round.ts'
import { type GossipNode, startGossipNode } from './start-node.ts'

const SECONDS = 60
const ROUNDS = 3
const PER_SECOND = 20
const ARCHIVE_BYTES = 64 * 1024 * 1024
/** Peers that fetch from the observed node. */
const FETCHERS = 3
/** Of each peer that takes part in a transfer: the machine must not be what is measured. */
const PEER_BITS_PER_SECOND = 100_000_000
/** The announcements' way: observed node, publisher and next node have links without a limit. */
const ROW = 3
/** While archives are transferred, p99 may be so many times that of the quiet round before it, */
const MAX_RATIO = 2
/** or so much longer: less is what the system's scheduler does. */
const MAX_DIFFERENCE_MS = 5
/** Beyond this the machine is what is measured. */
const MAX_BUSY = 0.8
/** Grafting takes a heartbeat or two. */
const SETTLE_MS = 3000
const WARM_UP_SECONDS = 3

type Result = { readonly quiet: Round; readonly busy: Round; readonly valid: boolean; readonly ok: boolean }

/**
 * Do archive transfers delay gossip? Three whole nodes in a row, the second of which is observed: announcements of the first
 * pass it on their way to the third. In every other round the observed node fetches an archive all the time, and serves
 * another one to three peers.
 */
export async function runInterferenceBench({
  json,
  rounds = ROUNDS,
  seconds = SECONDS,
}: {
  json: boolean
  rounds?: number
  seconds?: number
}) {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const missing = linksUnavailable()
  if (missing !== undefined) {
    say({ bench: 'interference', notMeasured: missing }, `not measured: ${missing}`)
    return undefined
  }
  using links = createLinks(ROW + 1 + FETCHERS, (host) => (host < ROW ? undefined : PEER_BITS_PER_SECOND))
  await using stack = new AsyncDisposableStack()
  const start = async (host: number, neighbours: readonly string[], options?: ForkOptions) =>
    stack.adopt(await startGossipNode(links, host, neighbours, options), (node) => node.end())
  // all but the observed node stand for other machines: their disks are memory
  const memoryDisk = true
  const publisher = await start(0, [], { memoryDisk })
  const observed = await start(1, [publisher.address])
  const row: Row = { publisher, observed, next: await start(2, [observed.address], { memoryDisk }) }
  // and those that transfer run when no node of the row needs a processor
  const peers: Node[] = []
  for (let peer = 0; peer <= FETCHERS; peer++) {
    peers.push(stack.adopt(await startNode(links, ROW + peer, { idle: true, memoryDisk }), (node) => node.end()))
  }
  const load = await prepareLoad(observed, peers as [Node, ...Node[]])
  await sleep(SETTLE_MS)
  await playRound(row, { seconds: WARM_UP_SECONDS, perSecond: PER_SECOND, load })
  const results: Result[] = []
  for (let number = 0; number < rounds; number++) {
    const quiet = await playRound(row, { seconds, perSecond: PER_SECOND })
    const busy = await playRound(row, { seconds, perSecond: PER_SECOND, load })
    const valid = quiet.busy <= MAX_BUSY && busy.busy <= MAX_BUSY
    const result = { quiet, busy, valid, ok: isWithinBound(quiet, busy) }
    results.push(result)
    say({ round: number, ...result }, rowOf(number, result))
  }
  const summary = { bench: 'interference', rounds, seconds, perSecond: PER_SECOND, ...summaryOf(results) }
  say(summary, textOf(summary))
  if (summary.latency?.ok === false) process.exitCode = 1
  return summary
}
/** The observed node fetches from the first peer, and the others fetch from it, each again and again. */
async function prepareLoad(observed: GossipNode, [provider, ...fetchers]: [Node, ...Node[]]): Promise<Load> {
  await provider.ask({ dial: [observed.address] })
  const [fetched, served] = [await provider.add(ARCHIVE_BYTES), await observed.add(ARCHIVE_BYTES)]
  let stopped = false
  let fetching: Promise<number>[] = []
  async function fetchAgainAndAgain(peer: Node): Promise<number> {
    let count = 0
    for (; !stopped; count++) {
      await peer.ask({ fetch: served, peers: [observed.address] })
      await peer.ask({ remove: served })
    }
    return count
  }
  return {
    async start() {
      stopped = false
      await observed.startFetching(fetched)
      fetching = fetchers.map(fetchAgainAndAgain)
    },
    async stop() {
      stopped = true
      const counts = await Promise.all([observed.stopFetching(), ...fetching])
      return counts.reduce((sum, count) => sum + count, 0)
    },
  }
}

function isWithinBound(quiet: Round, busy: Round): boolean {
  const isSoon = (['received', 'forwarded'] as const).every((way) => {
    const [before, during] = [quiet[way].p99Ms, busy[way].p99Ms]
    return during <= MAX_RATIO * before || during - before < MAX_DIFFERENCE_MS
  })
  const lost = [quiet, busy].reduce((sum, { missing, lostConnections }) => sum + missing + lostConnections, 0)
  return isSoon && lost === 0 && busy.transfers > 0
}

/** Latencies are medians of the valid rounds; there are none where no round is valid. */
function summaryOf(results: readonly Result[]) {
  const valid = results.filter((result) => result.valid)
  const sum = (of: (round: Round) => number) => results.reduce((all, { quiet, busy }) => all + of(quiet) + of(busy), 0)
  const median = (of: (result: Result) => number) => quantile(valid.map(of), 0.5)
  const latency = valid.length > 0 && {
    quietP99Ms: median(({ quiet }) => quiet.forwarded.p99Ms),
    busyP99Ms: median(({ busy }) => busy.forwarded.p99Ms),
    ratio: round(
      median(({ quiet, busy }) => busy.forwarded.p99Ms / quiet.forwarded.p99Ms),
      2,
    ),
    ok: valid.every(({ ok }) => ok),
  }
  return {
    missing: sum((each) => each.missing),
    lostConnections: sum(({ lostConnections }) => lostConnections),
    valid: valid.length,
    latency: latency || undefined,
  }
}

function textOf({ missing, lostConnections, valid, latency }: ReturnType<typeof summaryOf>): string {
  const lost = `${missing} announcements and ${lostConnections} connections lost`
  if (latency === undefined)
    return `${lost}; no round is valid: the machine was over 80 % busy; run it again when it is quieter`
  const { quietP99Ms, busyP99Ms, ratio } = latency
  const bound = `bound ${MAX_RATIO}, or ${MAX_DIFFERENCE_MS} ms`
  return `p99 ${quietP99Ms} ms, ${busyP99Ms} ms during transfers: ${ratio} times (${bound}); ${lost} (${valid} valid rounds)`
}

function rowOf(number: number, { quiet, busy, valid, ok }: Result): string {
  const cells = ({ received, forwarded, busy: share }: Round) =>
    `received ${received.p50Ms}/${received.p99Ms}, forwarded ${forwarded.p50Ms}/${forwarded.p99Ms} (machine ${Math.round(share * 100)} % busy)`
  const note = valid ? '' : ', invalid: the machine was over 80 % busy'
  return `${number} p50/p99 ms: quiet ${cells(quiet)}; during ${busy.transfers} transfers ${cells(busy)}${ok ? '' : ': not within the bound'}${note}`
}
