import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAIN, ROOT } from '../../build.ts'

export type Options = { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }

export type Finished = { readonly code: number | null; readonly output: string }

export type Shell = ReturnType<typeof openShell>
export type Background = ReturnType<Shell['start']>

type Running = { child: ChildProcess; output: () => string; ended: Promise<unknown> }

/** A reader's terminal: a home and a folder of its own, the built program on its PATH. */
export function openShell() {
  // short, for unix sockets are in it too
  const root = mkdtempSync(join(tmpdir(), 'tc-doc-'))
  for (const folder of ['bin', 'home', 'tmp', 'work']) mkdirSync(join(root, folder))
  const program = join(root, 'bin', 'thundercloud')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`)
  chmodSync(program, 0o755)
  const work = (...parts: string[]) => join(root, 'work', ...parts)
  const env = {
    PATH: [join(root, 'bin'), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(':'),
    HOME: join(root, 'home'),
    TMPDIR: join(root, 'tmp'),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'tmp'),
    // `npm start` without the installation before it, which the tests have behind them
    npm_config_ignore_scripts: 'true',
    npm_config_update_notifier: 'false',
  }
  const children = new Set<Running>()

  function launch(command: string, { cwd, env: more = {} }: Options): Running {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      // a process group of its own, as a terminal gives it: Ctrl-C reaches all of it
      detached: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        output += piece
      })
    }
    const running = { child, output: () => output, ended: once(child, 'close') }
    children.add(running)
    void running.ended.then(() => children.delete(running))
    return running
  }

  return {
    path: work,
    async run(command: string, options: Options): Promise<Finished> {
      const { child, output, ended } = launch(command, options)
      await ended
      return { code: child.exitCode, output: output() }
    },
    /** A command that goes on. */
    start(command: string, options: Options) {
      const { child, output, ended } = launch(command, options)
      return {
        /** What it wrote, once that matches. Rejects when it ends before. */
        prints: (expected: RegExp) =>
          new Promise<string>((resolve, reject) => {
            const look = () => {
              if (expected.test(output())) resolve(output())
            }
            for (const stream of [child.stdout, child.stderr]) stream?.on('data', look)
            void ended.then(() => reject(new Error(`${command} ended with ${child.exitCode}:\n${output()}`)))
            look()
          }),
        /** Ctrl-C. */
        async interrupt(): Promise<Finished> {
          kill(child, 'SIGINT')
          await ended
          return { code: child.exitCode, output: output() }
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...children].map(({ child, ended }) => {
          // a node that is killed leaves its runs behind
          kill(child, 'SIGINT')
          return ended
        }),
      )
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, signal)
}
