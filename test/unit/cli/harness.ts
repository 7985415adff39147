import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import type { Signer } from '../../../protocols/signature.ts'
import { createApi, serveApi } from '../../../src/api/index.ts'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { Factories } from '../../../src/cli/cli.ts'
import { COMMANDS } from '../../../src/cli/commands/index.ts'
import { runCli } from '../../../src/cli/run.ts'
import { initFolder, loadToken } from '../../../src/config/index.ts'
import { createLightPeerTwin, type LightPeerTwin } from '../../fixtures/mesh/fake-light-peer.ts'
import { announcementOf, createNodeTwin, type NodeTwin, newSigner } from '../../fixtures/node/fake-node.ts'

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** The command line in a folder of its own, with its own settings folder. */
export interface Shell extends Disposable {
  readonly root: string
  readonly env: Record<string, string>
  path(...parts: string[]): string
  run(line: Line, init?: RunOptions): Promise<Ran>
  /** Runs with --json and reads what comes: one object a line. */
  json(line: Line, init?: RunOptions): Promise<{ code: number; values: Record<string, unknown>[]; stderr: string }>
  /** Runs, and expects that it does nothing and says why in one sentence, the last of `lines`; 2 is wrong usage. */
  refused(line: Line, sentence: string | RegExp, init?: RunOptions & { code?: number; lines?: number }): Promise<void>
}

/** What follows the program's name: as it is typed, or in parts where one of them has spaces. */
export type Line = string | readonly string[]
const partsOf = (line: Line) => (typeof line === 'string' ? line.split(' ') : line)

export type RunOptions = {
  signal?: AbortSignal
  factories?: Partial<Factories>
  clock?: Clock
  /** in the place of the program's own */
  commands?: typeof COMMANDS
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
    async run(line, init = {}) {
      let stdout = ''
      let stderr = ''
      const isTTY = init.terminal === true
      const code = await runCli({
        argv: partsOf(line),
        commands: init.commands ?? COMMANDS,
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
    async json(line, init) {
      const { code, stdout, stderr } = await shell.run([...partsOf(line), '--json'], init)
      const values = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      return { code, values, stderr }
    },
    async refused(line, sentence, { code = 2, lines = 1, ...init } = {}) {
      const ran = await shell.run(line, init)
      expect([ran.code, ran.stdout]).toEqual([code, ''])
      const said = ran.stderr.trim().split('\n')
      expect(said).toHaveLength(lines)
      expect(said.at(-1)).toMatch(sentence)
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
  return shell
}

export interface ShellWithNode extends Shell, AsyncDisposable {
  readonly node: NodeTwin
  readonly url: string
  /** The node hears of a service "hello"; its id. */
  hear(author?: Signer, desc?: string): Promise<string>
}

/** A shell whose operator's folder belongs to a running twin. */
export async function openShellWithNode(): Promise<ShellWithNode> {
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
    async hear(author = newSigner(), desc = 'says hello') {
      const { bytes, id } = announcementOf(author, { clock, desc })
      await node.receive(bytes)
      return id
    },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      shell[Symbol.dispose]()
    },
  }
}

/** A command line whose light peers are twins. */
export function withPeers(port?: number) {
  const peers: LightPeerTwin[] = []
  const factories: RunOptions['factories'] = {
    async lightPeer(_components, init) {
      const twin = createLightPeerTwin(init, port === undefined ? {} : { port })
      peers.push(twin)
      return twin
    },
  }
  return { peers, factories }
}
