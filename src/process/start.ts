import { type ChildProcess, type ChildProcessByStdio, type StdioOptions, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { UnavailableError } from '../base/errors.ts'
import { confinedCommand, type ProcessSpec } from './command.ts'

export type { ChildProcess }
export type Stdio = 'ignore' | 'pipe' | 'ipc' | number

export type StartOptions = {
  /** the descriptors of the process, from 0 on */
  readonly stdio: readonly Stdio[]
  /** a session of its own: signals of a terminal do not reach it, and it may outlive the node */
  readonly detached?: boolean
}

/**
 * The one place that starts processes. What the process has is what its row in kinds.ts and `spec` say; nothing of the
 * environment, descriptors, umask and signals of this process reaches it. Throws where the program cannot be run, and an
 * UnavailableError where this process has no descriptor left for its pipes.
 */
export function startProcess(spec: ProcessSpec, { stdio, detached = false }: StartOptions): ChildProcess {
  const channel = stdio.indexOf('ipc')
  const env =
    channel < 0 ? spec.env : { ...spec.env, NODE_CHANNEL_FD: `${channel}`, NODE_CHANNEL_SERIALIZATION_MODE: 'json' }
  const { file, args } = confinedCommand({ ...spec, ...(env === undefined ? {} : { env }) }, stdio.length)
  const child = spawn(file, args, { cwd: spec.cwd ?? '/', env: {}, detached, stdio: [...stdio] as StdioOptions })
  // without descriptors Node.js makes no pipes, and reports it by an event that nobody could listen to in time
  if ((child.stdio as unknown) === undefined) {
    child.on('error', () => {})
    throw new UnavailableError(`no process of the kind "${spec.kind}" can be started: too many files are open`)
  }
  return child
}

/** With standard input, output and error as pipes. */
export function startPiped(spec: ProcessSpec): ChildProcessByStdio<Writable, Readable, Readable> {
  return startProcess(spec, { stdio: ['pipe', 'pipe', 'pipe'] }) as ChildProcessByStdio<Writable, Readable, Readable>
}
