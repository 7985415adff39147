import type { Clock } from '../base/clock.ts'
import { UnavailableError } from '../base/errors.ts'
import { findProgram, runProcess } from '../process/index.ts'

/** mkfs.ext4 writes a few hundred kilobytes. */
const TOOL_MS = 60_000

/** Runs a program of this machine that makes or mounts a disk. Answers what it prints; throws an UnavailableError with what it says. */
export async function runDiskTool(clock: Clock, name: string, ...args: string[]): Promise<string> {
  const spec = { kind: 'tool', program: findProgram(name) ?? `/usr/sbin/${name}`, args } as const
  const { exitCode, stdout, stderr } = await runProcess(clock, spec, { timeoutMs: TOOL_MS })
  if (exitCode !== 0) throw new UnavailableError(`${name}: ${stderr.trim()}`)
  return stdout.trim()
}
