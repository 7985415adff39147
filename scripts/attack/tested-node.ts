import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatAddress } from '../../protocols/address.ts'
import { createApi, serveApi, serveOperator } from '../../src/api/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Defence } from '../../src/network/index.ts'
import { addFolder, createWorld } from '../../test/fixtures/node/nodes.ts'
import { answer } from './rpc.ts'
import { AUTHOR } from './target.ts'

/** What the node has taken of the machine. */
export type Measure = {
  readonly rssMiB: number
  /** what the program still refers to, after a collection: the heap, and buffers outside of it */
  readonly liveMiB: number
  readonly descriptors: number
  readonly timers: number
  readonly peers: number
  /** in the store of codes: files and folders */
  readonly files: number
  /** the longest that the event loop was held since the last measure, in processor time: a busy machine does not count */
  readonly heldMs: number
}

const CODE_BYTES = 12 * 1024 * 1024
/** A collection that also gives pages back to the system: what V8 keeps for later is not what an attack has taken. */
const ALL_OF_IT = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const
const stack = new AsyncDisposableStack()
const LOOK_EVERY_MS = 5
const loop = watchLoop()
let peers = () => 0
let storeDir = ''

/** Where attackers and honest peers find it. */
export type Started = { readonly address: string; readonly code: string; readonly api: number; readonly socket: string }

async function start({ without }: { without: Defence[] }): Promise<Started> {
  const world = stack.use(await createWorld())
  const quotas = { NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000 }
  // a usual node: it gossips with every connected peer
  const node = await world.start('tested-node', {
    without,
    node: { QUOTAS: quotas, PEERS: { LOW: 8 } },
    runner: { TRUST_TREE: { ROOTS: { [formatAddress(AUTHOR.address)]: { DEPTH: 0 } } } },
  })
  peers = () => node.peers().length
  const folder = await mkdtemp(join(tmpdir(), 'tc-attack-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'noise'), randomBytes(CODE_BYTES))
  const code = await addFolder(node, folder)
  const address = node.multiaddrs().find((text) => text.startsWith('/ip4/127.0.0.1/'))
  if (address === undefined) throw new Error('the node does not listen')
  const dir = world.dir('tested-node')
  storeDir = join(dir, 'data', 'code')
  const handler = stack.use(
    createApi({ node, clock: systemClock(), log: silentLog(), token: randomBytes(16).toString('hex') }),
  )
  const { path: socket } = stack.use(
    await serveOperator(handler, join(dir, 'api'), {
      clock: systemClock(),
      log: silentLog(),
      prepare: async () => {},
    }),
  )
  const { port: api } = stack.use(await serveApi(handler, '127.0.0.1', 0))
  return { address, code, api, socket }
}

async function measure({ collect }: { collect?: boolean } = {}): Promise<Measure> {
  if (collect) {
    // what the first finds without an owner, finalizers let go of a turn later
    globalThis.gc?.(ALL_OF_IT)
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc?.(ALL_OF_IT)
  }
  const heldMs = loop.take()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rssMiB: Math.round(rss / 1024 ** 2),
    liveMiB: Math.round(((heapUsed + external) / 1024 ** 2) * 10) / 10,
    descriptors: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    peers: peers(),
    files: (await readdir(storeDir, { recursive: true })).length,
    heldMs,
  }
}

function watchLoop() {
  let longest = 0
  let used = process.threadCpuUsage()
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(used)
    used = process.threadCpuUsage()
    longest = Math.max(longest, (user + system) / 1000)
  }, LOOK_EVERY_MS).unref()
  return {
    take() {
      const ms = Math.round(longest)
      longest = 0
      return ms
    },
  }
}

answer({ start, measure }, () => stack.disposeAsync())
