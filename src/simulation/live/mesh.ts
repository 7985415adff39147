import { join } from 'node:path'
import { type Clock, sleep } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { isShaped } from '../plan/is-shaped.ts'
import type { Plan } from '../plan/plan.ts'
import { type Child, startChild } from './child.ts'
import type { Line, NodeOrder, RelayOrder, Usage } from './messages.ts'

/** A mesh that is busy with starting takes its time: so long, and as much again for each node. */
const [JOIN_MS, JOIN_MS_A_NODE] = [60_000, 2000]
const LOOK_EVERY_MS = 200

/** The processes of a live simulation, and the nodes in them. */
export interface LiveMesh extends AsyncDisposable {
  /** Starts all nodes, and resolves when all neighbours are connected. */
  start(): Promise<void>
  ask<Answer>(order: Extract<NodeOrder, { readonly node: number }>): Promise<Answer>
  isUp(node: number): boolean
  join(node: number): Promise<void>
  /** False where it was not there. */
  leave(node: number): Promise<boolean>
  /** Kills its process, which must have no other node. */
  crash(node: number): Promise<boolean>
  cut(nodes: readonly number[]): Promise<void>
  heal(nodes: readonly number[]): Promise<void>
  usage(): Promise<Usage>
}

export type MeshLine = Exclude<Line, { readonly answer: number }>

type MeshInit = {
  readonly plan: Plan
  readonly processes: number
  /** where all nodes have their folders */
  readonly dir: string
  /** `source`: from 0, one for each process with nodes */
  readonly onLine: (source: number, line: MeshLine) => void
  readonly onLost: (error: Error) => void
}

export function createLiveMesh({ clock }: { clock: Clock }, init: MeshInit): LiveMesh {
  const { plan, processes, dir, onLine, onLost } = init
  const { scenario, graph } = plan
  const neighboursOf = (node: number) => [...graph.neighbours.subarray(graph.offsets[node], graph.offsets[node + 1])]
  const nodes = Array.from({ length: scenario.nodes }, (_, node) => node)
  const multiaddrs = new Map<number, string>()
  const up = new Map<number, string>()
  /** by `${from} ${to}` */
  const relayed = new Map<string, number>()
  const relay = isShaped(plan)
    ? startChild<RelayOrder>({ clock }, { setup: { role: 'relay', scenario }, onLine: () => {}, onLost })
    : undefined
  const host = (source: number) =>
    startChild<NodeOrder>(
      { clock },
      {
        setup: { role: 'nodes', scenario, dir: join(dir, `process-${source}`) },
        onLine: (line) => onLine(source, line),
        onLost,
      },
    )
  const hosts: (Child<NodeOrder> | undefined)[] = Array.from({ length: processes }, (_, source) => host(source))
  const hostOf = (node: number) => {
    hosts[node % processes] ??= host(node % processes)
    return hosts[node % processes] as Child<NodeOrder>
  }

  function addressFor(from: number, to: number): string {
    const address = multiaddrs.get(to) as string
    const port = relayed.get(`${from} ${to}`)
    return port === undefined ? address : address.replace(/\/tcp\/\d+/, `/tcp/${port}`)
  }

  async function start(node: number, dialled: readonly number[]): Promise<void> {
    // its neighbours look for it where it was
    const listen = (multiaddrs.get(node) ?? '/ip4/127.0.0.1/tcp/0').replace(/\/p2p\/.*/, '')
    const neighbours = dialled.filter((other) => multiaddrs.has(other)).map((other) => addressFor(node, other))
    const started = await hostOf(node).ask<{ multiaddrs: string[]; peerId: string }>({
      ...{ do: 'start', node, listen, neighbours },
    })
    const address = started.multiaddrs[0]
    if (address === undefined) throw new UnavailableError(`node ${node} listens nowhere`)
    multiaddrs.set(node, address)
    up.set(node, started.peerId)
    const port = Number(/\/tcp\/(\d+)/.exec(address)?.[1])
    await relay?.ask({ do: 'target', node, port })
  }

  async function connected(): Promise<void> {
    const until = clock.monotonic() + JOIN_MS + nodes.length * JOIN_MS_A_NODE
    for (let waiting = nodes; waiting.length > 0; ) {
      const missing = await Promise.all(
        waiting.map(async (node) => {
          const peers = await hostOf(node).ask<string[]>({ do: 'peers', node })
          return neighboursOf(node).some((other) => !peers.includes(up.get(other) as string)) ? [node] : []
        }),
      )
      waiting = missing.flat()
      if (waiting.length > 0 && clock.monotonic() > until)
        throw new UnavailableError(
          `${waiting.length} of ${nodes.length} nodes are not connected with all their neighbours; the machine may be too slow for so many: use fewer nodes`,
        )
      await sleep(clock, LOOK_EVERY_MS)
    }
  }

  return {
    async start() {
      if (relay !== undefined) {
        const pairs = nodes.flatMap((from) => neighboursOf(from).map((to) => [from, to] as const))
        const ports = await relay.ask<number[]>({ do: 'open', pairs })
        for (const [index, [from, to]] of pairs.entries()) relayed.set(`${from} ${to}`, ports[index] as number)
      }
      // of two neighbours the one that starts later dials the other; a process starts one node at a time
      const started: Promise<void>[] = []
      for (const node of nodes) {
        const dialled = neighboursOf(node).filter((other) => other < node)
        const before = [...dialled, ...(node < processes ? [] : [node - processes])]
        const turn = Promise.all(before.map((other) => started[other])).then(() => start(node, dialled))
        turn.catch(() => {})
        started.push(turn)
      }
      await Promise.all(started)
      await connected()
    },
    ask: (order) => hostOf(order.node).ask(order),
    isUp: (node) => up.has(node),
    async join(node) {
      if (!up.has(node)) await start(node, neighboursOf(node))
    },
    async leave(node) {
      if (!up.delete(node)) return false
      return await hostOf(node).ask<boolean>({ do: 'leave', node })
    },
    async crash(node) {
      if (!up.delete(node)) return false
      const child = hostOf(node)
      hosts[node % processes] = undefined
      await child.kill()
      return true
    },
    cut: async (chosen) => void (await relay?.ask({ do: 'cut', nodes: chosen })),
    heal: async (chosen) => void (await relay?.ask({ do: 'heal', nodes: chosen })),
    async usage() {
      const of = [...hosts, relay].filter((child) => child !== undefined)
      const used = await Promise.all(of.map((child) => child.ask<Usage>({ do: 'usage' })))
      return {
        cpuSeconds: used.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        peakMemoryBytes: used.reduce((sum, { peakMemoryBytes }) => sum + peakMemoryBytes, 0),
        traffic: used.flatMap(({ traffic = [] }) => traffic),
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...hosts, relay].map((child) => child?.[Symbol.asyncDispose]()))
    },
  }
}
