import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Defence } from '../../src/network/index.ts'
import { addFolder, createWorld } from '../../test/fixtures/nodes.ts'
import { answer } from './rpc.ts'

/** What the node has taken of the machine. */
export type Measure = {
  readonly rssMiB: number
  /** what the program still refers to, after a collection: the heap, and buffers outside of it */
  readonly liveMiB: number
  readonly descriptors: number
  readonly timers: number
  readonly peers: number
  /** the longest that the event loop was held since the last measure */
  readonly heldMs: number
}

const CODE_BYTES = 12 * 1024 * 1024
const stack = new AsyncDisposableStack()
const delay = monitorEventLoopDelay({ resolution: 5 })
let peers = () => 0
const excluded: string[] = []

async function start({ without }: { without: Defence[] }): Promise<{ address: string; code: string }> {
  const world = stack.use(await createWorld())
  const quotas = { NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000 }
  // a node as most are: it gossips with whoever connects
  const node = await world.start('victim', { without, node: { QUOTAS: quotas, PEERS: { LOW: 8 } } })
  node.events.on('network:excluded', ({ peer }) => excluded.push(peer))
  peers = () => node.peers().length
  const folder = await mkdtemp(join(tmpdir(), 'tc-attack-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'noise'), randomBytes(CODE_BYTES))
  const code = await addFolder(node, folder)
  delay.enable()
  const address = node.multiaddrs().find((text) => text.startsWith('/ip4/127.0.0.1/'))
  if (address === undefined) throw new Error('the node does not listen')
  return { address, code }
}

async function measure({ collect }: { collect?: boolean } = {}): Promise<Measure> {
  if (collect) {
    // what the first finds without an owner, finalizers let go of a turn later
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc?.()
  }
  const heldMs = Math.round(delay.max / 1e6)
  delay.reset()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rssMiB: Math.round(rss / 1024 ** 2),
    liveMiB: Math.round(((heapUsed + external) / 1024 ** 2) * 10) / 10,
    descriptors: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    peers: peers(),
    heldMs: Number.isFinite(heldMs) ? heldMs : 0,
  }
}

answer({ start, measure, excluded: async () => excluded }, () => stack.disposeAsync())
