import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents, once } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import type { Verdict } from '../../../src/base/verdict.ts'
import { type RunnerConfig, runnerSchema } from '../../../src/config/files/runner-schema.ts'
import { andromeda } from '../../../src/runner/andromeda/index.ts'
import {
  createRunnerHost,
  NOTHING_KNOWN,
  type ReceivedService,
  type RunnerError,
  type RunnerEvents,
  type RunnerHostInit,
  type RunnerSnapshot,
} from '../../../src/runner/index.ts'

export const OWN = 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9'
export const STRANGER = '9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu'

/** The rules' part of the seed's sample, and room for one small service. */
export const SAMPLE = {
  DESC_MAX_LEN: 200,
  REDIRECTION_DEPTH: 3,
  PREFER_TOOLCHAIN: { docker: ['rust', 'node.js', 'c', 'c++'], host: ['rust', 'node.js', 'c', 'c++'] },
  KEYWORDS: ['web3', 'defi', 'bridge', 'tor', 'control', 'storage', 'api'],
  NETCAP: {},
  LIMITS: { TOTAL: { MEMORY: '512MiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 4 } },
}

export function configOf(settings: object = {}): RunnerConfig {
  return runnerSchema.parse({ ...SAMPLE, ...settings })
}

export function serviceOf(change: Partial<ReceivedService> = {}): ReceivedService {
  return {
    id: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
    author: OWN,
    name: 'hello',
    seq: 1,
    title: 'Hello',
    desc: 'says hello',
    keywords: ['API'],
    toolchain: ['node'],
    symbiotes: [],
    hostchains: [],
    issued: 1_700_000_000,
    expires: 1_700_086_400,
    code: 'bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm',
    sources: [{ type: 'mesh' }],
    run: { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind: 'service' },
    resources: { memory: 64 * 1024 * 1024, disk: 1024 * 1024, cpu: 100, pids: 16 },
    network: [],
    replicas: 1,
    replyTo: [],
    sizeBytes: 700,
    ...change,
  }
}

export function snapshotOf(config: RunnerConfig = configOf(), change: Partial<RunnerSnapshot> = {}): RunnerSnapshot {
  return {
    ...NOTHING_KNOWN,
    config,
    own: OWN,
    capacity: {
      memoryBytes: 512 * 1024 * 1024,
      cpuMillicores: 1000,
      diskBytes: 1024 * 1024 * 1024,
      pids: 64,
      runs: 4,
      executors: [{ name: 'docker' }, { name: 'host', toolchains: ['node.js'], note: 'bubblewrap' }],
    },
    running: [],
    depth: 3,
    now: 1_700_000_100,
    ...change,
  }
}

/** What Andromeda decides of a service, under settings and facts that differ from the usual ones. */
export function verdictOf(
  settings: object = {},
  service: Partial<ReceivedService> = {},
  node: Partial<RunnerSnapshot> = {},
): Verdict {
  return andromeda(serviceOf(service), snapshotOf(configOf(settings), node))
}

/** The reason that a rule gave. */
export const reasonOf = ({ reasons }: Verdict, rule: string) => reasons.find((reason) => reason.rule === rule)

type RunnerInit = [init?: Partial<RunnerHostInit>, entry?: string]

/** A runners folder with files in it, and a host for one of them. */
export function runnerIn(files: Record<string, string>, ...[init = {}, entry = 'mine/runner.mjs']: RunnerInit) {
  const root = mkdtempSync(join(tmpdir(), 'thundercloud-runner-'))
  for (const [name, text] of Object.entries(files)) save(root, name, text)
  const events = createEvents<RunnerEvents>()
  const heard: { name: string; detail: unknown }[] = []
  events.onAny((name, detail) => heard.push({ name, detail }))
  const lines: string[] = []
  const log = createLog({ level: 'trace', write: (line) => void lines.push(line) })
  const path = join(root, entry)
  const clock = systemClock()
  const config = init.config ?? configOf()
  const host = createRunnerHost(
    { clock, log, events },
    { entry: path, dir: dirname(path), network: false, ...init, config },
  )
  return {
    root,
    host,
    events,
    heard,
    lines,
    config,
    clock,
    save: (name: string, text: string) => save(root, name, text),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** A runner that is loaded, and is asked with its own configuration. */
export async function startedRunner(code: string | Record<string, string>, ...rest: RunnerInit) {
  const runner = runnerIn(typeof code === 'string' ? { 'mine/runner.mjs': code } : code, ...rest)
  await runner.host.start()
  const decide = (service: Partial<ReceivedService> = {}, node = snapshotOf(runner.config)) =>
    runner.host.decide(serviceOf(service), node)
  return {
    ...runner,
    decide,
    /** Asks about services of these names, all at once. */
    decideAll: (names: readonly string[]) => Promise.allSettled(names.map((name) => decide({ name }))),
    /** The message of its first reason. */
    says: async (service: Partial<ReceivedService> = {}) => (await decide(service)).reasons[0]?.message,
    fails: (service: Partial<ReceivedService> = {}, node?: RunnerSnapshot) => failureOf(decide(service, node)),
    /** Resolves when a module that was saved has taken over. */
    swapped: () => once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped }),
  }
}

function save(root: string, name: string, text: string): void {
  const path = join(root, name)
  // The folder is its owner's alone, as an operator's folder is.
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, text, { mode: 0o600 })
}

export const YES = `{ run: false, redirect: true, reasons: [{ rule: 'mine', outcome: 'fail', message: 'no', needs: { field: 'x', must: 'be', value: 'y' } }] }`
/** A module whose one reason has this message, an expression; `before` runs first. */
export const saying = (message: string, before = '') => `export default async (service, node) => {
  ${before}
  return { run: false, redirect: false, reasons: [{ rule: 'a', outcome: 'pass', message: ${message} }] }
}`

/** Short, so that a hang costs little; long enough for a busy machine. */
export const SHORT = { timeoutMs: 800 }

/** Answers by the service's name: what the body of the switch says, else a verdict. */
export function byName(cases: Record<string, string>): Record<string, string> {
  const lines = Object.entries(cases).map(([name, code]) => `  if (service.name === '${name}') { ${code} }`)
  return { 'mine/runner.mjs': `export default (service, node) => {\n${lines.join('\n')}\n  return ${YES}\n}\n` }
}

export async function failureOf(promise: Promise<unknown>): Promise<RunnerError> {
  return promise.then(
    (verdict) => Promise.reject(new Error(`it answered ${JSON.stringify(verdict)}`)),
    (error) => error,
  )
}

export function isAlive(pid: number | undefined): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
