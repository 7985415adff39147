import { denseGraph } from '../../../test/fixtures/mesh/gossip-graph.ts'
import { createLinks, linksUnavailable, watchMachine } from '../links/links.ts'
import { type Node, startNode } from './start-node.ts'

const NODES = 30
const BYTES = 16 * 1024 * 1024
const BITS_PER_SECOND = 10_000_000
/** Connections that the peer manager maintains (PEERS.LOW). */
const DEGREE = 8
const SEED = 'bench'
const ROUNDS = 3
/** Beyond this the machine is what is measured. */
const MAX_BUSY = 0.8

/**
 * 16 MiB from one node to 30 others, each process in a network namespace with a link of 10 Mbit/s. Each is connected to eight
 * others and knows the publisher, and all want the code at the same moment. What counts is the time until the last has it, and
 * the bytes that left the publisher's link, both against one transfer between two nodes alone, measured first.
 */
export async function runSpreadBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }) {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const missing = linksUnavailable()
  if (missing !== undefined) {
    say({ bench: 'spread', notMeasured: missing }, `not measured: ${missing}`)
    return undefined
  }
  using links = createLinks(NODES + 1, () => BITS_PER_SECOND)
  const nodes: Node[] = []
  try {
    for (let host = 0; host <= NODES; host++) nodes.push(await startNode(links, host))
    const [origin, ...others] = nodes as [Node, ...Node[]]
    for (const [a, b] of denseGraph(NODES + 1, DEGREE, SEED)) {
      await nodes[a]?.ask({ dial: [nodes[b]?.address as string] })
    }
    const single = await timed(async (code) => others[0]?.ask({ fetch: code, peers: [origin.address] }))
    say({ single }, `one transfer: ${single.seconds} s`)
    const results: { time: number; copies: number; busy: number; valid: boolean }[] = []
    for (let round = 0; round < rounds; round++) {
      const { seconds, busy, bytes } = await timed((code) =>
        Promise.all(others.map((node) => node.ask({ fetch: code, peers: [origin.address] }))),
      )
      const time = round2(seconds / single.seconds)
      const copies = round2(bytes / single.bytes)
      const result = { time, copies, busy, valid: busy <= MAX_BUSY && single.busy <= MAX_BUSY }
      results.push(result)
      say({ round, ...result }, rowOf(round, result))
    }
    const valid = results.filter((result) => result.valid).sort((a, b) => a.time - b.time)
    const median = valid[Math.floor(valid.length / 2)]
    const summary = { bench: 'spread', nodes: NODES, bytes: BYTES, rounds, ...median, valid: valid.length }
    say(
      summary,
      median === undefined
        ? 'no round is valid: the machine was over 80 % busy; run it again when it is quieter'
        : `median: the last of ${NODES} after ${median.time} times one transfer, ${median.copies} copies from the publisher`,
    )
    return summary

    async function timed(work: (code: string) => Promise<unknown>) {
      const code = await origin.add(BYTES)
      const sentBefore = links.sentBytes(0)
      const busy = watchMachine()
      const startedAt = performance.now()
      await work(code)
      const seconds = round2((performance.now() - startedAt) / 1000)
      return { seconds, busy: round2(busy()), bytes: links.sentBytes(0) - sentBefore }
    }
  } finally {
    await Promise.all(nodes.map((node) => node.end()))
  }
}

function rowOf(
  round: number,
  { time, copies, busy, valid }: { time: number; copies: number; busy: number; valid: boolean },
) {
  const note = valid ? '' : ', invalid: the machine was over 80 % busy'
  return `${round} the last after ${time} times one transfer, ${copies} copies from the publisher (machine ${Math.round(busy * 100)} % busy${note})`
}

function round2(value: number): number {
  return Number(value.toFixed(2))
}
