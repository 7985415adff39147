import { randomFillSync } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { createApiClient } from '../../../src/api/client/client.ts'
import type { RunRecord } from '../../../src/base/run-record.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import { initFolder } from '../../../src/config/index.ts'
import { type Journal, openJournal, type VerdictRecord } from '../../../src/journal/index.ts'
import { runProgram } from '../../fixtures/program/process.ts'
import { system } from '../../fixtures/system.ts'

export const MIB = 2 ** 20
const NODE = {
  NETWORK: 'test',
  VISIBILITY: 'private',
  LISTEN: ['/ip4/127.0.0.1/tcp/0'],
  API: '127.0.0.1:0',
  PEERS: { LOW: 0 },
  QUOTAS: { NEW_PER_AUTHOR_PER_MINUTE: 1000 },
}

export type Scratch = Awaited<ReturnType<typeof makeScratch>>

type Runner = {
  executor: ExecutorName
  author: Signer
  join: readonly string[]
  /** further keys of its config.json */
  policy?: Readonly<Record<string, unknown>>
}

/** One folder with everything that the nodes of a test write; it is short, for unix sockets lie there too. */
export async function makeScratch() {
  const root = await mkdtemp('/tmp/tck-')
  const dir = (name: string) => join(root, name)
  const tmp = (name: string) => dir(`${name}.t`)
  return {
    dir,
    /** Starts the node of a folder, with its temporary files below the scratch too. */
    async start(name: string, ...args: string[]) {
      await mkdir(tmp(name), { recursive: true })
      return await startNode(dir(name), { args, env: { TMPDIR: tmp(name), HOME: root } })
    },
    temporary: (name: string) => readdir(tmp(name)),
    publisher: (name: string) =>
      initFolder(dir(name), { node: NODE, runner: { REDIRECTION_DEPTH: 3, STATIC_NODES: [] } }),
    runner: (name: string, { executor, author, join: peers, policy }: Runner) =>
      initFolder(dir(name), {
        node: NODE,
        runner: {
          REDIRECTION_DEPTH: 3,
          STATIC_NODES: peers,
          KEYWORDS: [],
          PREFER_TOOLCHAIN: { [executor]: ['node.js'] },
          TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
          LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '16', DISK: '1GiB', PIDS: 2048, RUNS: 24 } },
          ...policy,
        },
      }),
    /** A folder of code: the files given, and `weight` random bytes that no compression makes smaller. */
    async code(name: string, files: Readonly<Record<string, string>>, weight = 0): Promise<string> {
      await mkdir(dir(name))
      for (const [file, text] of Object.entries(files)) await writeFile(join(dir(name), file), text)
      if (weight > 0) await writeFile(join(dir(name), 'weight.bin'), randomFillSync(Buffer.alloc(weight)))
      return dir(name)
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  }
}

type JournalledRun = RunRecord & { readonly states: readonly string[] }

/** The runs as the journal in a node's folder has them; of one service where it is named. */
export function journalledRuns(dir: string, service?: string): JournalledRun[] {
  using journal = open(dir)
  return journal.runs
    .all()
    .filter((run) => service === undefined || run.service === service)
    .map((run) => ({ ...run, states: journal.runs.transitions(run.runId).map(({ state }) => state) }))
}

/** Every time that the runner was asked about a service, newest first. */
export function journalledVerdicts(dir: string, service: string): VerdictRecord[] {
  using journal = open(dir)
  return journal.verdicts.history(service)
}

function open(dir: string): Journal {
  return openJournal({ ...system, path: join(dir, 'data', 'journal.sqlite') })
}

export type ReportedEvent = { event: string } & Readonly<Record<string, unknown>>
export type NodeProcess = Awaited<ReturnType<typeof startNode>>

/** A node as a person runs it: the program in a process of its own, its events from its output, its API. */
async function startNode(dir: string, init: { args?: readonly string[]; env?: Record<string, string> } = {}) {
  const { args = [], env = {} } = init
  // it ends when this process does, whatever ends it
  const program = runProgram(['start', dir, '--json', ...args], { env, ipc: true })
  const eventOf = (line: string) => JSON.parse(line) as ReportedEvent
  /** The first event that matches, of those reported (but `after` of them) and those to come. */
  const waitForEvent = async (matches: (reported: ReportedEvent) => boolean, after = 0): Promise<ReportedEvent> =>
    eventOf(await program.line((line) => matches(eventOf(line)), after))
  const ready = await waitForEvent(({ event }) => event === 'ready')
  const { peerId, api: url, multiaddrs } = ready as unknown as { peerId: string; api: string; multiaddrs: string[] }
  const token = (await readFile(join(dir, 'api.token'), 'utf8')).trim()
  return {
    peerId,
    multiaddrs,
    api: createApiClient({ url, token }),
    reported: () => program.lines.map(eventOf),
    waitForEvent,
    /** SIGKILL to this process alone. */
    kill: async () => void (await program.end('SIGKILL')),
    /** SIGTERM; resolves with the exit code and what it wrote to standard error. */
    quit: async () => ({ code: await program.end('SIGTERM'), stderr: program.stderr }),
    [Symbol.asyncDispose]: program[Symbol.asyncDispose],
  }
}
