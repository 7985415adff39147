import { realpath } from 'node:fs/promises'
import { systemClock } from '../../../base/clock.ts'
import { UnavailableError } from '../../../base/errors.ts'
import { findProgram, type ProcessResult, runProcess } from '../../../process/index.ts'

/** The loader answers in milliseconds. */
const LDD_MS = 10_000

/** What the dynamic loader would load, loader included, under the paths where it looks. */
export async function librariesOf(binary: string): Promise<{ path: string; file: string }[]> {
  const { exitCode, stdout } = await ldd(binary)
  if (exitCode !== 0) {
    throw new UnavailableError(`${binary} cannot be put into a container: "ldd" does not list its libraries`)
  }
  const paths = stdout.split('\n').flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? [])
  return Promise.all([...new Set(paths)].map(async (path) => ({ path, file: await realpath(path) })))
}

export async function isStatic(binary: string): Promise<boolean> {
  const { stdout, stderr } = await ldd(binary)
  return /not a dynamic executable|statically linked/.test(`${stdout}${stderr}`)
}

export async function ldd(binary: string): Promise<ProcessResult> {
  const program = findProgram('ldd')
  if (program === undefined) return { exitCode: 127, stdout: '', stderr: '' }
  return runProcess(systemClock(), { kind: 'tool', program, args: [binary] }, { timeoutMs: LDD_MS })
}
