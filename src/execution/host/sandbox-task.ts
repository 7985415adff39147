import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { Grant } from '../../base/verdict.ts'
import type { Egress } from '../../egress/index.ts'
import { PROXY_PORT } from '../egress-targets.ts'
import { GatewayUnreachableError } from '../errors.ts'
import { readLogs } from '../logs/reader.ts'
import { logFile } from '../logs/writer.ts'
import type { EndReason, ReadOnlyMount, Run } from '../types.ts'
import { createHostExecutor } from './executor.ts'
import { OR_ENGINE } from './permission-model.ts'
import type { HostExecutorInit } from './types.ts'

/** Output of one program: longer output is not read. */
const OUTPUT_BYTES = 256 * 1024
/** How often it is looked whether a program writes without end. */
const FLOOD_LOOK_MS = 200
/** What the shim may take longer than the program's own time: it starts, and reads the rest of the output. */
const SHIM_MS = 20_000

/** A line that says what went wrong, among those that say where. */
const ERROR_WORDS = /error|exception|fatal|panic|denied|no such|not found|can(not|'t)/i

export type SandboxTask = {
  readonly command: readonly string[]
  /** seen as /code, read-only without `writes` */
  readonly codeDir: string
  readonly readOnlyMounts: readonly ReadOnlyMount[]
  readonly env: Readonly<Record<string, string>>
  readonly limits: Pick<Grant, 'memoryBytes' | 'cpuMillicores' | 'diskBytes' | 'pids'>
  readonly timeoutMs: number
  /** it writes into its code, which is taken back when it succeeds */
  readonly writes?: boolean | undefined
  /** its way out, through a proxy at PROXY_PORT; without it, it has no network */
  readonly egress?: { readonly through: Egress; readonly maxBytes: number } | undefined
}

export type SandboxTaskEnd = {
  /** 128 + signal where a signal ended it */
  readonly exitCode: number
  /** `flood`: it was ended because it wrote too much */
  readonly reason: EndReason | 'flood'
  readonly detail?: string | undefined
  /** what it wrote to its standard output; nothing of a flood */
  readonly lines: readonly string[]
  /** the line of its standard error that says most about what went wrong */
  readonly errorLine?: string | undefined
}

/** Runs programs one by one in the host's sandbox, each to its end, and leaves nothing of them. */
export interface SandboxExecutor {
  /** Why there is no sandbox; undefined where there is one. */
  unavailableReason(options?: { signal?: AbortSignal | undefined }): Promise<string | undefined>
  /** Ends and removes what an earlier process left. Before the first run. */
  removeLeftovers(): Promise<void>
  /** Rejects where it could not be started, and with the signal's reason. A program that fails has an end like others. */
  run(task: SandboxTask, options?: { signal?: AbortSignal | undefined }): Promise<SandboxTaskEnd>
}

export type SandboxExecutorInit = Pick<HostExecutorInit, 'nodeId' | 'runtimeDir' | 'bubblewrap'> & {
  /** Belongs to these runs alone: what is in it is removed by `clear`. */
  readonly dir: string
}

export function createSandboxExecutor(
  components: { clock: Clock; rng: Rng; log: Log },
  init: SandboxExecutorInit,
): SandboxExecutor {
  const { clock, rng, log } = components
  const { dir, nodeId, runtimeDir, bubblewrap } = init
  const executor = createHostExecutor(
    { clock, log },
    {
      nodeId,
      runtimeDir,
      ...(bubblewrap !== undefined && { bubblewrap }),
      ownAddress: '',
      sandbox: 'bubblewrap',
      runsDir: join(dir, 'runs'),
      logs: { maxBytes: OUTPUT_BYTES, keep: 1 },
    },
  )

  /** A full file beside the one that is written: the output is longer than what is read. */
  const flooded = (logDir: string) =>
    stat(logFile(logDir, 'run', 1)).then(
      () => true,
      () => false,
    )

  async function watched(
    run: Run,
    logDir: string,
    task: SandboxTask,
    outer: AbortSignal | undefined,
  ): Promise<SandboxTaskEnd> {
    let flood = false
    using _look = clock.every(FLOOD_LOOK_MS, () => {
      if (flood) return
      flooded(logDir).then(async (is) => {
        if (!is || flood) return
        flood = true
        await run.stop({ graceMs: 0 })
      }, reportTo(log))
    })
    const tooLong = new TimeoutError('the sandbox did not end in time')
    using limit = deadline(clock, task.timeoutMs + SHIM_MS, tooLong, outer)
    const end = await run.wait({ signal: limit.signal })
    if (flood || (await flooded(logDir))) return { exitCode: end.exitCode, reason: 'flood', lines: [] }
    return { ...end, ...(await outputIn(logDir)) }
  }

  async function outputIn(logDir: string): Promise<Pick<SandboxTaskEnd, 'lines' | 'errorLine'>> {
    const lines: string[] = []
    let last: string | undefined
    let errorLine: string | undefined
    const options = { tail: OUTPUT_BYTES, follow: false, keep: 1, ended: () => true, clock }
    for await (const { stream, line } of readLogs(logDir, options)) {
      if (stream === 'out') lines.push(line)
      if (stream !== 'err' || line.trim() === '') continue
      last = line
      if (ERROR_WORDS.test(line)) errorLine = line
    }
    return { lines, errorLine: errorLine ?? last }
  }

  return {
    async unavailableReason({ signal } = {}) {
      const { available, detail } = await executor.available({ signal })
      return available ? undefined : detail.replace(OR_ENGINE, '')
    },
    async removeLeftovers() {
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await rm(dir, { recursive: true, force: true })
    },
    async run(task, { signal } = {}) {
      const { limits, timeoutMs, command, codeDir, readOnlyMounts, env } = task
      const runId = rng.uuid()
      const logDir = join(dir, 'logs', runId)
      await mkdir(join(dir, 'runs'), { recursive: true, mode: 0o700 })
      let run: Run | undefined
      try {
        run = await executor.start(
          {
            command,
            codeDir,
            readOnlyMounts,
            env,
            runId,
            logDir,
            service: '',
            author: '',
            purpose: task.writes === true ? 'build' : 'run',
            egress: task.egress && { targets: [], proxyPort: PROXY_PORT },
            grant: { ...limits, executor: 'host', network: { mode: 'none' } },
            workdir: '',
            ports: [],
            toolchain: [],
            lifetime: { afterMs: timeoutMs, graceMs: 0 },
          },
          { signal },
        )
        await using _served = await serve(run, task.egress, signal)
        return await watched(run, logDir, task, signal)
      } finally {
        if (run !== undefined) await executor.remove(run.handle)
        await rm(logDir, { recursive: true, force: true })
      }
    },
  }
}

async function serve(run: Run, egress: SandboxTask['egress'], signal: AbortSignal | undefined) {
  try {
    return egress && (await run.serveEgress?.(egress.through, { maxBytes: egress.maxBytes, signal }))
  } catch (error) {
    // it may have ended already: how it did says more than that its gateway has gone
    if (error instanceof GatewayUnreachableError) return undefined
    throw error
  }
}

function reportTo(log: Log) {
  return (error: unknown) => log.warn('a program that writes too much could not be ended yet', { error: String(error) })
}
