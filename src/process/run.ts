import { addAbortListener } from 'node:events'
import { text } from 'node:stream/consumers'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { ProcessSpec } from './command.ts'
import { startPiped } from './start.ts'

export type ProcessResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

/** Runs a program of the machine to its end. It is ended, and this rejects, when it takes too long. */
export async function runProcess(
  clock: Clock,
  spec: ProcessSpec,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<ProcessResult> {
  const tooLong = new TimeoutError(`${spec.program} did not end within ${timeoutMs} ms`)
  using limit = deadline(clock, timeoutMs, tooLong, signal)
  limit.signal.throwIfAborted()
  const child = startPiped(spec)
  using _kill = addAbortListener(limit.signal, () => void child.kill('SIGKILL'))
  child.stdin.on('error', () => {}).end()
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  })
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  limit.signal.throwIfAborted()
  return { exitCode, stdout, stderr }
}
