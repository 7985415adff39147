import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { errnoOf } from '../../base/errors.ts'
import { type ChildProcess, type Stdio, startProcess } from '../../process/index.ts'
import { childPidOf, type RunFiles, type ShimSpec } from './run-files.ts'

/** The command of a plan, which has begun. */
export type StartedCommand = {
  readonly child: ChildProcess
  /** the first process of its sandbox, or of all; undefined when there never was one */
  readonly first: Promise<number | undefined>
  readonly ended: Promise<{ exitCode: number; detail?: string }>
}

export type ShimCommand = Pick<ShimSpec, 'command' | 'sandboxed' | 'kind' | 'purpose' | 'checks' | 'env' | 'cwd'> & {
  /** what waits for a message, on the descriptor after the filter */
  readonly bootstrap?: 'node' | 'shell' | undefined
}

export function startCommand(spec: ShimCommand, files: RunFiles): StartedCommand {
  const { command, sandboxed, env, cwd } = spec
  const [program = '', ...args] = command
  const kind = sandboxed ? (spec.kind ?? spec.purpose) : 'permission'
  // a descriptor that bubblewrap gets as its fifth, FILTER_FD
  const filter = existsSync(files.filter) ? openSync(files.filter, 'r') : undefined
  const pipes: Stdio[] = spec.checks === true ? ['pipe', 'pipe'] : spec.bootstrap !== undefined ? ['pipe'] : []
  const sandboxStdio: Stdio[] = sandboxed ? ['pipe', filter ?? 'ignore', ...pipes] : []
  const child = startProcess({ kind, program, args, env, cwd }, { stdio: ['ignore', 'pipe', 'pipe', ...sandboxStdio] })
  if (filter !== undefined) closeSync(filter)
  return { child, first: sandboxed ? firstProcess(child) : Promise.resolve(child.pid), ended: endOf(child) }
}

async function endOf(child: ChildProcess): Promise<{ exitCode: number; detail?: string }> {
  try {
    const [code, name] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return { exitCode: code ?? 128 + constants.signals[name ?? 'SIGKILL'] }
  } catch (error) {
    return { exitCode: 127, detail: `it could not be started (${errnoOf(error) ?? 'unknown'})` }
  }
}

/** bubblewrap names the first process of the sandbox as soon as there is one. */
function firstProcess(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = ''
    // read to its end, or bubblewrap would be ended by its last write
    const status = child.stdio[3] as Readable
    status.on('data', (chunk) => {
      text += chunk
      const pid = childPidOf(text)
      if (pid !== undefined) resolve(pid)
    })
    status.on('error', () => resolve(undefined)).on('close', () => resolve(undefined))
  })
}
