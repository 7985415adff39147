import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createApi, serveApi } from '../../../src/api/index.ts'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { Factories } from '../../../src/cli/cli.ts'
import { COMMANDS } from '../../../src/cli/commands/index.ts'
import { runCli } from '../../../src/cli/run.ts'
import { initFolder, loadToken } from '../../../src/config/index.ts'
import { createNodeTwin, type NodeTwin } from '../../fixtures/node/fake-node.ts'

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** The command line in a folder of its own, with its own settings folder. */
export interface Shell extends Disposable {
  readonly root: string
  readonly env: Record<string, string>
  path(...parts: string[]): string
  run(argv: readonly string[], init?: RunOptions): Promise<Ran>
  /** Runs with --json and reads what comes: one object a line. */
  json(
    argv: readonly string[],
    init?: RunOptions,
  ): Promise<{ code: number; values: Record<string, unknown>[]; stderr: string }>
}

export type RunOptions = {
  signal?: AbortSignal
  factories?: Partial<Factories>
  clock?: Clock
  terminal?: boolean
  /** what a person types at a terminal; without it nobody can be asked */
  answer?: string
  env?: Record<string, string>
  /** is told what is written to standard output, as it is */
  onOutput?(text: string): void
}

export function openShell(): Shell {
  const root = mkdtempSync(join(tmpdir(), 'thundercloud-cli-'))
  const env: Record<string, string> = { HOME: join(root, 'home'), XDG_CONFIG_HOME: join(root, 'settings') }
  const none = async (): Promise<never> => {
    throw new Error('this test makes no nodes')
  }
  const shell: Shell = {
    root,
    env,
    path: (...parts) => join(root, ...parts),
    async run(argv, init = {}) {
      let stdout = ''
      let stderr = ''
      const isTTY = init.terminal === true
      const code = await runCli({
        argv,
        commands: COMMANDS,
        stdin: init.answer === undefined ? undefined : Object.assign(Readable.from([init.answer]), { isTTY: true }),
        stdout: {
          isTTY,
          write(text) {
            stdout += text
            init.onOutput?.(stdout)
          },
        },
        stderr: {
          isTTY,
          write(text) {
            stderr += text
          },
        },
        env: { ...env, ...init.env },
        cwd: root,
        clock: init.clock ?? systemClock(),
        rng: systemRng(),
        signal: init.signal ?? new AbortController().signal,
        factories: { node: none, lightPeer: none, ...init.factories },
        self: [],
        version: '9.8.7',
        onReload: () => ({ [Symbol.dispose]() {} }),
        endOnHangup() {},
      })
      return { code, stdout, stderr }
    },
    async json(argv, init) {
      const { code, stdout, stderr } = await shell.run([...argv, '--json'], init)
      const values = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      return { code, values, stderr }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
  return shell
}

/** A shell whose operator's folder belongs to a running twin. */
export async function openShellWithNode(): Promise<Shell & { node: NodeTwin; url: string } & AsyncDisposable> {
  const shell = openShell()
  const clock = systemClock()
  const node = createNodeTwin({ clock })
  const dir = shell.path('operator')
  await initFolder(dir, { node: { NETWORK: 'test', API: '127.0.0.1:0' } })
  const api = createApi({ node, clock, log: silentLog(), token: await loadToken(dir) })
  const served = await serveApi(api, '127.0.0.1', 0)
  shell.env.THUNDERCLOUD_DIR = dir
  shell.env.THUNDERCLOUD_API = `127.0.0.1:${served.port}`
  return {
    ...shell,
    node,
    url: served.url,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      shell[Symbol.dispose]()
    },
  }
}
