import { chmod, cp, lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { anySignal } from 'any-signal'
import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { ThundercloudError, TimeoutError } from '../../base/errors.ts'
import { BUILD_TIMEOUT_MS, DISK_WATCH_MS } from '../constants.ts'
import type { Executor } from '../types.ts'
import { planOf, type RunSpec } from './run-spec.ts'

export class BuildFailedError extends ThundercloudError {
  override readonly name = 'BuildFailedError'
}

type BuildInput = {
  clock: Clock
  executor: Executor
  runId: string
  spec: RunSpec
  codeDir: string
  dirs: { logs: string; builds: string }
  signal: AbortSignal
}

/**
 * Runs the service's build in a writable copy of its code, under the grant of the run, and returns the copy. It is done
 * once per run: a copy that was finished before is used again.
 */
export async function buildCode(input: BuildInput): Promise<string> {
  const { clock, executor, runId, spec, codeDir, dirs } = input
  const folder = buildDir(dirs.builds, runId)
  const copy = join(folder, 'code')
  const done = join(folder, 'done')
  if ((await stat(done).catch(() => undefined)) !== undefined) return copy

  const plan = planOf({ runId, spec, purpose: 'build', codeDir: copy, logsDir: dirs.logs, graceMs: 0 })
  await executor.remove(executor.handle(plan))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o711 })
  // links stay relative: made absolute they would lead out of the copy
  await cp(codeDir, copy, { recursive: true, verbatimSymlinks: true })
  await openToAll(copy)

  const tooLong = new TimeoutError(`the build took longer than ${BUILD_TIMEOUT_MS / 60_000} minutes`)
  using limit = deadline(clock, BUILD_TIMEOUT_MS, tooLong, input.signal)
  const run = await executor.start(plan, { signal: limit.signal })
  try {
    const ended = new AbortController()
    const either = anySignal([ended.signal, limit.signal])
    const watch = watchSize(copy, spec.grant.diskBytes, clock, either)
    const end = await Promise.race([run.wait({ signal: limit.signal }), watch]).finally(() => {
      ended.abort()
      either.clear()
    })
    if (end.exitCode !== 0)
      throw new BuildFailedError(
        `the build ended with exit code ${end.exitCode}${end.detail === undefined ? '' : `: ${end.detail}`}`,
      )
  } catch (error) {
    throw error === tooLong ? new BuildFailedError(tooLong.message) : error
  } finally {
    await executor.remove(run.handle)
  }
  await writeFile(done, '')
  return copy
}

export function buildDir(builds: string, runId: string): string {
  return join(builds, runId)
}

/** Rejects when the folder grows over `max`; ends in silence with the signal. */
async function watchSize(dir: string, max: number, clock: Clock, signal: AbortSignal): Promise<never> {
  while (!signal.aborted) {
    await sleep(clock, DISK_WATCH_MS, { signal }).catch(() => {})
    if (!signal.aborted && (await sizeOf(dir)) > max) {
      throw new BuildFailedError(`the build wrote more than the ${max} bytes of disk that were granted`)
    }
  }
  return new Promise<never>(() => {})
}

/** Links are not followed: a build may make any. */
async function sizeOf(dir: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) bytes += await sizeOf(path)
    else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0
  }
  return bytes
}

/** The build is another user; the folder above is open to the sandbox only. Links have no mode, and are not followed. */
async function openToAll(dir: string): Promise<void> {
  await chmod(dir, 0o777)
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode | 0o666)
  }
}
