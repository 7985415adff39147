import { randomFillSync } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { RunRecord } from '../../../src/base/run-record.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import { initFolder } from '../../../src/config/index.ts'
import { type Journal, openJournal, type VerdictRecord } from '../../../src/journal/index.ts'

export const MIB = 2 ** 20
const NODE = {
  NETWORK: 'test',
  VISIBILITY: 'private',
  LISTEN: ['/ip4/127.0.0.1/tcp/0'],
  API: '127.0.0.1:0',
  PEERS: { LOW: 0 },
  QUOTAS: { NEW_PER_AUTHOR_PER_MINUTE: 1000 },
}

/** One folder with everything that the nodes of a test write; it is short, for unix sockets lie there too. */
export interface Scratch extends AsyncDisposable {
  dir(name: string): string
  /** for the environment of a node: temporary files lie below the scratch too */
  env(name: string): Promise<Record<string, string>>
  temporary(name: string): Promise<string[]>
  publisher(name: string): Promise<void>
  runner(
    name: string,
    options: {
      executor: ExecutorName
      author: Signer
      join: readonly string[]
      /** further keys of its config.json */
      policy?: Readonly<Record<string, unknown>>
    },
  ): Promise<void>
  /** A folder of code: the files given, and `weight` random bytes that no compression makes smaller. */
  code(name: string, files: Readonly<Record<string, string>>, weight?: number): Promise<string>
}

export async function makeScratch(): Promise<Scratch> {
  const root = await mkdtemp('/tmp/tck-')
  const dir = (name: string) => join(root, name)
  const tmp = (name: string) => dir(`${name}.t`)
  return {
    dir,
    async env(name) {
      await mkdir(tmp(name), { recursive: true })
      return { TMPDIR: tmp(name), HOME: root }
    },
    temporary: (name) => readdir(tmp(name)),
    publisher: (name) => initFolder(dir(name), { node: NODE, runner: { REDIRECTION_DEPTH: 3, STATIC_NODES: [] } }),
    runner: (name, { executor, author, join: peers, policy }) =>
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
    async code(name, files, weight = 0) {
      await mkdir(dir(name))
      for (const [file, text] of Object.entries(files)) await writeFile(join(dir(name), file), text)
      if (weight > 0) await writeFile(join(dir(name), 'weight.bin'), randomFillSync(Buffer.alloc(weight)))
      return dir(name)
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  }
}

export type JournalledRun = RunRecord & { readonly states: readonly string[] }

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
  return openJournal({ path: join(dir, 'data', 'journal.sqlite'), clock: systemClock(), log: silentLog() })
}
