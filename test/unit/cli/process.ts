import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { MAIN } from '../../build.ts'

/** The real program in a process of its own. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  /** The first line of standard output that matches, of those that came and those that will. */
  line(matches: (line: string) => boolean): Promise<string>
  /** Resolves with the exit code, or the signal's name. */
  ended(): Promise<number | string>
}

export function runProgram(argv: readonly string[], options: { env: Record<string, string>; ipc?: boolean }): Program {
  const env = { PATH: process.env.PATH ?? '', ...options.env }
  const child = spawn(process.execPath, [MAIN, ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
  })
  let stderr = ''
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of [...waiting]) look()
  }
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece.toString()
  })
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      wake()
    })
  }
  // `close` has all output; it never comes where this side closed an IPC channel
  const closed = once(child, options.ipc === true ? 'exit' : 'close').then(([code, signal]: (number | string)[]) => {
    wake()
    return code ?? (signal as string)
  })
  return {
    child,
    get stdout() {
      return lines.map((line) => `${line}\n`).join('')
    },
    get stderr() {
      return stderr
    },
    line: (matches) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(matches)
          const over = child.exitCode !== null || child.signalCode !== null
          if (found === undefined && !over) return
          waiting.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`the program ended: ${lines.join('\n')}\n${stderr}`))
        }
        waiting.add(look)
        look()
      }),
    ended: () => closed,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await closed
    },
  }
}
