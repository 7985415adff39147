import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initFolder } from '../../src/config/index.ts'
import { type Program, runProgram } from '../unit/cli/process.ts'

/** A folder of an operator, and the program run on it with a home of its own. */
export interface Place extends AsyncDisposable {
  readonly root: string
  readonly dir: string
  readonly env: Record<string, string>
  run(argv: readonly string[], env?: Record<string, string>): Program
  /** Runs to the end; `out` is what it wrote, line by line. */
  ran(
    argv: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ code: number | string; out: string; err: string }>
  /** A running node and its `ready` line. */
  start(...argv: string[]): Promise<{ program: Program; ready: Record<string, unknown> }>
}

export async function openPlace(settings: { node?: object; runner?: object } = {}): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'tc-case-'))
  const dir = join(root, 'node')
  const env = { HOME: join(root, 'home'), XDG_CONFIG_HOME: join(root, 'config'), THUNDERCLOUD_DIR: dir }
  await initFolder(dir, {
    node: {
      NETWORK: 'test',
      VISIBILITY: 'private',
      LISTEN: ['/ip4/127.0.0.1/tcp/0'],
      API: '127.0.0.1:0',
      PEERS: { LOW: 0 },
      LOG_LEVEL: 'warn',
      ...settings.node,
    },
    runner: { STATIC_NODES: [], ...settings.runner },
  })
  const started: Program[] = []
  const run = (argv: readonly string[], more: Record<string, string> = {}) => {
    const program = runProgram(argv, { env: { ...env, ...more } })
    started.push(program)
    return program
  }
  return {
    root,
    dir,
    env,
    run,
    async ran(argv, more) {
      const program = run(argv, more)
      const code = await program.ended()
      return { code, out: program.stdout, err: program.stderr }
    },
    async start(...argv) {
      const program = run(['start', dir, '--json', ...argv])
      const line = await program.line((text) => text.includes('"event":"ready"'))
      return { program, ready: JSON.parse(line) as Record<string, unknown> }
    },
    async [Symbol.asyncDispose]() {
      for (const program of started) {
        program.child.kill('SIGTERM')
        await Promise.race([program.ended(), new Promise((resolve) => setTimeout(resolve, 10_000))])
        await program[Symbol.asyncDispose]()
      }
      await rm(root, { recursive: true, force: true })
    },
  }
}
