import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, formatAddress } from '../../protocols/address.ts'
import { type ApiClient, createApiClient } from '../../src/api/index.ts'
import type { ExecutorName } from '../../src/base/verdict.ts'
import { initFolder } from '../../src/config/index.ts'
import { type Program, runProgram } from '../../test/fixtures/program/process.ts'

export const NETWORK = 'chaos'
/** What the load asks for, warm for two runs; a node that is not root keeps nothing warm. */
const WARM = { 'node.js': [{ COUNT: 2, MEMORY: '96MiB', DISK: '4MiB', PIDS: 32 }], GATEWAYS: 1 }
const LIMITS = { TOTAL: { MEMORY: '2GiB', CPU: '8', DISK: '1GiB', PIDS: 2048, RUNS: 8 }, HEALTHY_SECONDS: 1, WARM }
const QUOTAS = { SERVICES_PER_AUTHOR: 100_000, NEW_PER_AUTHOR_PER_MINUTE: 100_000 }
/** Sentences of a node that found its own files ruined. */
const RUINED = /ruined|corrupt|malformed|set aside|cannot be read/i

/** A node's API, as its operator and as anyone else uses it. */
export type Clients = { readonly operator: ApiClient; readonly stranger: ApiClient; readonly peerId: string }

/** One start of the node, until it is killed. */
export interface Life {
  /** Its API once it is ready; rejects where it is killed before. */
  readonly ready: Promise<Clients>
  kill(signal: NodeJS.Signals): Promise<void>
  /** what it said that a node with whole files does not say */
  complaints(): string[]
}

/** The node that is killed: the real program on a folder of its own, which outlives it. */
export interface Victim extends AsyncDisposable {
  readonly dir: string
  readonly dataDir: string
  start(): Life
}

/** `author`: whose services it runs. */
export async function createVictim(executor: ExecutorName, author: Address): Promise<Victim> {
  const root = await mkdtemp(join(tmpdir(), 'tc-chaos-'))
  const dir = join(root, 'node')
  const env = { HOME: join(root, 'home'), XDG_CONFIG_HOME: join(root, 'config') }
  const listen = { LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: '127.0.0.1:0', PEERS: { LOW: 0 } }
  await initFolder(dir, {
    node: { NETWORK, VISIBILITY: 'private', ...listen, LOG_LEVEL: 'warn', QUOTAS },
    runner: {
      STATIC_NODES: [],
      KEYWORDS: [],
      REDIRECTION_DEPTH: 3,
      LIMITS,
      // on a slow machine tasks come sooner than they end, and none of them may be turned away for want of a place
      DORMITORY: { MAX: 10_000 },
      TRUST_TREE: { ROOTS: { [formatAddress(author)]: {} } },
      PREFER_TOOLCHAIN: { [executor]: ['node.js'] },
    },
  })
  let current: Program | undefined
  return {
    dir,
    dataDir: join(dir, 'data'),
    start() {
      const program = runProgram(['start', dir, '--json'], { env })
      current = program
      const ready = program
        .line((line) => line.includes('"event":"ready"'))
        .then((line) => {
          const { socket, api, peerId } = JSON.parse(line) as { socket: string; api: string; peerId: string }
          return {
            operator: createApiClient({ url: 'http://localhost', socketPath: socket }),
            stranger: createApiClient({ url: api }),
            peerId,
          }
        })
      ready.catch(() => {})
      return {
        ready,
        kill: async (signal) => void (await program.end(signal)),
        complaints: () => program.stderr.split('\n').filter((line) => RUINED.test(line)),
      }
    },
    async [Symbol.asyncDispose]() {
      await current?.end('SIGKILL')
      await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    },
  }
}
