import { chmod, cp, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { anySignal } from 'any-signal'
import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { formatSeconds } from '../../base/format.ts'
import { NODE_DISK_FULL } from '../build-limit.ts'
import { DISK_WATCH_MS } from '../constants.ts'
import { BuildFailedError } from '../errors.ts'
import type { Executor, Plan, Run, RunEnd } from '../types.ts'

type BuildInput = {
  readonly clock: Clock
  readonly executor: Executor
  /** its code folder is not there yet */
  readonly plan: Plan & { readonly codeDir: string }
  /** unpacked code, which stays as it is */
  readonly source: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Serves its way out, where it has one, until the signal aborts. */
  readonly serve: (run: Run, signal: AbortSignal) => Promise<void>
  /** Leaves nothing of it in its executor. */
  readonly remove: (handle: unknown) => Promise<void>
}

/** As a shell says that SIGKILL or SIGTERM ended it. */
const KILLED: readonly number[] = [137, 143]

/**
 * Runs a build in a writable copy of its code, under the grant of the run that asked for it. When this has ended, whatever
 * way, nothing of the build runs any more. Throws a BuildFailedError for what the build did.
 */
export async function runBuild(input: BuildInput): Promise<void> {
  const { clock, executor, plan, source, timeoutMs, signal, serve, remove } = input
  const { codeDir, grant } = plan
  await remove(executor.handle(plan))
  // links stay relative: made absolute they would lead out of the copy
  await cp(source, codeDir, { recursive: true, verbatimSymlinks: true })
  await openToAll(codeDir)

  const tooLong = new TimeoutError(
    `the build took longer than ${formatSeconds(timeoutMs / 1000)} (TIMEOUTS.BUILD of the node)`,
  )
  using limit = deadline(clock, timeoutMs, tooLong, signal)
  const run = await executor.start(plan, { signal: limit.signal }).catch(async (error: unknown) => {
    // an executor whose answer was lost may have begun it
    await remove(executor.handle(plan)).catch(() => {})
    throw error
  })
  try {
    const ended = new AbortController()
    const either = anySignal([ended.signal, limit.signal])
    const watch = watchSize(codeDir, grant.diskBytes, clock, either)
    const served = serve(run, either)
    let end: RunEnd
    try {
      end = await Promise.race([run.wait({ signal: limit.signal }), watch])
    } finally {
      ended.abort()
      await served
      either.clear()
    }
    if (end.reason === 'timeout') throw tooLong
    if (end.exitCode !== 0) throw failureOf(end, plan)
  } catch (error) {
    throw error === tooLong ? new BuildFailedError(tooLong.message) : error
  } finally {
    await remove(run.handle)
  }
}

const NO_NETWORK = '; it had no network: REGISTRIES and ALLOWED_STORAGE of the node name no package index'

function failureOf({ exitCode, reason, detail, nodeDiskFull }: RunEnd, { egress }: Plan): Error {
  if (reason === 'stopped') return new UnavailableError('the build was stopped')
  if (nodeDiskFull === true) return new UnavailableError(`the build could not be finished: ${NODE_DISK_FULL} (ENOSPC)`)
  const wasKilled = KILLED.includes(exitCode)
  // what a client of an index says of this, about proxies and name servers, misleads its author
  const note = egress === undefined && !wasKilled ? NO_NETWORK : ''
  const message = `the build ended with exit code ${exitCode}${detail === undefined ? note : `: ${detail}`}`
  // by itself, or by somebody else: that is not known
  return new BuildFailedError(message, { isPassing: reason === 'exit' && wasKilled })
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
