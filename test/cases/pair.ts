import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatAddress } from '../../protocols/address.ts'
import { defaultKeyPath, initFolder, loadOrCreateKey } from '../../src/config/index.ts'
import { type Program, runProgram } from '../unit/cli/process.ts'

export type Said = {
  readonly code: number | string
  readonly values: Record<string, unknown>[]
  readonly stderr: string
}

/**
 * A publisher and a worker that trusts its author, each a program of its own, and the command line of the publisher's
 * person. Names of services are names of folders below `root`.
 */
export interface Pair extends AsyncDisposable {
  readonly root: string
  readonly env: Record<string, string>
  readonly publisher: { readonly peerId: string; readonly multiaddrs: readonly string[] }
  readonly worker: { readonly peerId: string; readonly multiaddrs: readonly string[] }
  /** Writes a service's code and manifest; `run` and more keys of the manifest. */
  write(name: string, code: string, manifest?: Record<string, unknown>): Promise<void>
  /** A command at the publisher, with --json. */
  at(argv: readonly string[]): Promise<Said>
  atWorker(argv: readonly string[]): Promise<Said>
  /** Without a node's folder, through the publisher's node. */
  afar(argv: readonly string[]): Promise<Said>
  /** A command that goes on until it is disposed. */
  begin(argv: readonly string[]): Program
  beginAfar(argv: readonly string[], env?: Record<string, string>): Program
  stop(who: 'publisher' | 'worker'): Promise<void>
  start(who: 'publisher' | 'worker'): Promise<void>
}

const LIMITS = {
  TOTAL: { MEMORY: '1GiB', CPU: '2', DISK: '256MiB', PIDS: 512, RUNS: 4 },
  SERVICE: { MEMORY: '256MiB', CPU: '1', DISK: '64MiB', PIDS: 64 },
  HEALTHY_SECONDS: 2,
}

export async function openPair(worker: { runner?: Record<string, unknown>; limits?: object } = {}): Promise<Pair> {
  const root = await mkdtemp(join(tmpdir(), 'tc-pair-'))
  const env = { HOME: join(root, 'home'), XDG_CONFIG_HOME: join(root, 'settings') }
  const { signer } = await loadOrCreateKey(defaultKeyPath(env))
  const base = { NETWORK: 'test', VISIBILITY: 'private', API: '127.0.0.1:0', PEERS: { LOW: 1 } }
  const programs = new Map<string, Program>()
  const infos = new Map<string, { peerId: string; multiaddrs: string[] }>()
  const dir = (who: string) => join(root, who)

  async function start(who: string): Promise<void> {
    const program = runProgram(['start', dir(who), '--json', '--log-level', 'error'], { env })
    programs.set(who, program)
    const ready = await program.line((line) => line.includes('"event":"ready"'))
    infos.set(who, JSON.parse(ready) as { peerId: string; multiaddrs: string[] })
  }

  async function stop(who: string): Promise<void> {
    const program = programs.get(who)
    programs.delete(who)
    if (program === undefined) return
    program.child.kill('SIGTERM')
    await program.ended()
  }

  async function ask(who: string, argv: readonly string[]): Promise<Said> {
    return await end(runProgram([...argv, '--json', '--dir', dir(who)], { env }))
  }

  async function end(program: Program): Promise<Said> {
    let stdout = ''
    program.child.stdout?.on('data', (piece: Buffer) => {
      stdout += piece.toString()
    })
    const code = await program.ended()
    const lines = stdout.split('\n').filter((line) => line !== '')
    return { code, values: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr: program.stderr }
  }

  const through = () => ['--network', 'test', '--join', infos.get('publisher')?.multiaddrs[0] ?? '']
  const listen = (port: number) => ({ ...base, LISTEN: [`/ip4/127.0.0.1/tcp/${port}`] })
  const quiet = { KEYWORDS: [], REDIRECTION_DEPTH: 3 }
  await initFolder(dir('publisher'), { node: listen(0), runner: { ...quiet, STATIC_NODES: [], PREFER_TOOLCHAIN: {} } })
  await start('publisher')
  const publisher = infos.get('publisher') as { peerId: string; multiaddrs: string[] }
  await initFolder(dir('worker'), {
    node: listen(0),
    runner: {
      ...quiet,
      STATIC_NODES: publisher.multiaddrs,
      TRUST_TREE: { ROOTS: { [formatAddress(signer.address)]: {} } },
      LIMITS: { ...LIMITS, ...worker.limits },
      PREFER_TOOLCHAIN: { host: ['node.js'] },
      ...worker.runner,
    },
  })
  await start('worker')

  return {
    root,
    env,
    publisher,
    worker: infos.get('worker') as { peerId: string; multiaddrs: string[] },
    async write(name, code, manifest = {}) {
      await mkdir(join(root, name), { recursive: true })
      await writeFile(join(root, name, 'main.js'), code)
      const { run = {}, ...rest } = manifest
      const service = {
        name,
        desc: 'a service of a test',
        toolchain: ['node.js'],
        expires: '1h',
        run: { command: ['node', 'main.js'], kind: 'service', ...(run as object) },
        resources: { memory: '96MiB', disk: '8MiB', cpu: '0.5', pids: 32 },
        ...rest,
      }
      await writeFile(join(root, name, 'service.json'), JSON.stringify(service))
    },
    at: (argv) => ask('publisher', argv),
    atWorker: (argv) => ask('worker', argv),
    afar: (argv) => end(runProgram([...argv, '--json', ...through()], { env })),
    beginAfar: (argv, own = env) => runProgram([...argv, ...through()], { env: own }),
    begin: (argv) => runProgram([...argv, '--dir', dir('publisher')], { env }),
    stop,
    start,
    async [Symbol.asyncDispose]() {
      const worker = programs.get('worker')
      // its runs end with it
      if (worker !== undefined) {
        const { values } = await ask('worker', ['list', '--all'])
        for (const { id, run } of (values[0] ?? []) as unknown as { id: string; run?: object }[]) {
          if (run !== undefined) await ask('worker', ['stop', id, '--local'])
        }
      }
      await Promise.all([...programs.keys()].map(stop))
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** The publisher's view of one service. */
export type View = {
  readonly id: string
  readonly seq: number
  readonly state: string
  readonly run?: { state: string; healthy?: boolean; exitCode?: number; restarts: number; detail?: string }
  readonly receipts: readonly {
    peerId: string
    state: string
    reasons: { rule: string; outcome: string; message: string }[]
  }[]
}

export async function viewOf(pair: Pair, service: string, where: 'at' | 'atWorker' = 'at'): Promise<View> {
  const said = await pair[where](['status', service])
  if (said.values[0] === undefined) throw new Error(said.stderr)
  return said.values[0] as unknown as View
}

/** A real program answers: asked again until it says so. */
export async function until<T>(ask: () => Promise<T | undefined | false>, what: string, ms = 60_000): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`it did not come to pass: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
