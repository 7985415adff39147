import { chmod, mkdir, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import { entryFile } from '../../base/entry.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Plan, Run, RunEnd, RunStats } from '../contract.ts'
import { connectThroughDoor } from '../door/connect.ts'
import { createLogWriter, type LogLimits } from '../logs/writer.ts'
import { type Engine, statusOf } from './engine.ts'
import type { Images } from './images.ts'
import { type DockerHandle, doorOptions } from './options.ts'
import { copyOutput } from './output.ts'

/** After the container has ended the engine's copy of its output is read to the end; not for longer than this. */
const LAST_WORDS_MS = 10_000

/** The engine answers a stop when it is done: after the grace, and what killing takes. */
const STOP_MS = 60_000

export type DockerRunInput = {
  readonly engine: Engine
  readonly images: Images
  readonly clock: Clock
  readonly log: Log
  readonly nodeId: string
  readonly logs: LogLimits
  readonly handle: DockerHandle
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports' | 'logDir'>
  readonly startedAt: number
}

/** A container that was started, by this process or an earlier one. Its door opens when someone first knocks. */
export function dockerRun(input: DockerRunInput): Run {
  const { engine, clock, handle, plan } = input
  const container = engine.docker.getContainer(handle.name)
  let stopped: 'stopped' | 'timeout' | undefined
  let door: Promise<void> | undefined
  let end: Promise<RunEnd> | undefined

  async function ended(signal?: AbortSignal): Promise<RunEnd> {
    // Only who waits copies the output: a run may be looked at by several.
    const writer = createLogWriter(plan.logDir, 'run', input.logs)
    const output = copyOutput(engine, container, { dir: plan.logDir, writer, clock })
    const finish = () => output.finish().finally(() => writer[Symbol.asyncDispose]())
    try {
      const end = await hasEnded(signal)
      using _limit = clock.after(LAST_WORDS_MS, () => output.stop())
      await finish()
      return end
    } catch (error) {
      output.stop()
      finish().catch(() => {})
      throw error
    }
  }

  async function hasEnded(signal?: AbortSignal): Promise<RunEnd> {
    await engine.ended(handle.name, signal)
    return endOf((await engine.ask(container.inspect())).State, stopped)
  }

  return {
    handle,
    startedAt: input.startedAt,
    wait({ signal } = {}) {
      // What failed (the engine went away, the asker lost patience) is asked again by the next who waits.
      const asking = end ?? ended(signal)
      end = asking
      asking.catch(() => {
        if (end === asking) end = undefined
      })
      return asking
    },
    async stop({ graceMs, reason = 'stopped' }) {
      stopped ??= reason
      try {
        await engine.ask(container.stop({ t: Math.ceil(graceMs / 1000) }), graceMs + STOP_MS)
      } catch (error) {
        // 304: it has ended; 404: it is gone
        if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error
      }
    },
    stats: async () => statsOf(await engine.ask(container.stats({ stream: false, 'one-shot': true }))),
    async connect(port, options = {}) {
      door ??= openDoor(input)
      door.catch(() => {
        door = undefined
      })
      await door
      try {
        return await connectThroughDoor(handle.socket, port, { ...options, clock })
      } catch (error) {
        // A door that was lost is opened again for the next who knocks.
        if (messageOf(error).includes('does not open')) door = undefined
        throw error
      }
    },
  }
}

export async function openDoor({ engine, images, nodeId, handle, plan }: DockerRunInput): Promise<void> {
  const found = await engine.askMaybe(engine.docker.getContainer(handle.door).inspect())
  if (found?.State.Running === true) return
  await removeContainer(engine, handle.door)
  await rm(handle.socket, { force: true })
  const file = entryFile(import.meta.url, '../door/main')
  const socketDir = dirname(handle.socket)
  // The door is nobody there; the folder above lets in nobody but the node.
  await mkdir(socketDir, { recursive: true })
  await chmod(socketDir, 0o777)
  const script = { dir: dirname(file), file: basename(file) }
  const image = await images.nodeImage()
  const options = doorOptions({ plan, handle, nodeId, image, script, socketDir, socketFile: basename(handle.socket) })
  const door = await engine.ask(engine.docker.createContainer(options))
  try {
    await engine.ask(door.start())
  } catch (error) {
    await removeContainer(engine, handle.door)
    if (statusOf(error) !== undefined) throw new UnavailableError('the run has ended', { cause: error })
    throw error
  }
}

export async function removeContainer(engine: Engine, name: string): Promise<void> {
  try {
    await engine.askMaybe(engine.docker.getContainer(name).remove({ force: true, v: true }))
  } catch (error) {
    // 409: another removal of the same is on its way
    if (statusOf(error) !== 409) throw error
  }
}

type State = Docker.ContainerInspectInfo['State']

function endOf(state: State, stopped: 'stopped' | 'timeout' | undefined): RunEnd {
  const exitCode = state.ExitCode
  if (state.OOMKilled && exitCode !== 0)
    return { exitCode, reason: 'memory', detail: 'it used more memory than granted' }
  return { exitCode, reason: stopped ?? 'exit', detail: state.Error === '' ? undefined : state.Error.slice(0, 300) }
}

function statsOf(stats: Docker.ContainerStats): RunStats {
  return {
    memoryBytes: stats.memory_stats.usage ?? 0,
    cpuMs: Math.round((stats.cpu_stats.cpu_usage.total_usage ?? 0) / 1e6),
    pids: stats.pids_stats?.current ?? 0,
  }
}
