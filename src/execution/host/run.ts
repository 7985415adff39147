import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { isAlive, type ProcessIdentity, signalProcess } from '../../base/os/process-identity.ts'
import { DISK_FULL, NODE_DISK_FULL } from '../build-limit.ts'
import { connectThroughGateway, isGatewayOpen, requestGateway, serveEgressThrough } from '../gateway/client.ts'
import { isDiskFull } from '../gateway/disk.ts'
import type { Run, RunEnd, RunStats } from '../types.ts'
import { killCgroup, type RunCgroup, removeCgroup } from './cgroups.ts'
import { taskOutputs } from './outputs/task-outputs.ts'
import {
  childPidOf,
  type RunFiles,
  readEnd,
  readJson,
  runFiles,
  type ShimIdentity,
  type ShimSpec,
} from './run-files.ts'

/** Where a run on the host is found again. JSON. */
export type HostHandle = { readonly dir: string; readonly socket: string; readonly cgroup: RunCgroup }

/** Between looks at a run whose shim does not answer. */
const LOOK_MS = 20
/** How long a shim may take to answer: it starts in 50 ms on an idle machine. */
const ANSWER_MS = 30_000
/** How long the kernel may take to end a namespace that was killed. */
const GONE_MS = 10_000

/** What is read of a shim's own errors. */
const SAID_CHARACTERS = 4096

const LOST: RunEnd = { exitCode: 137, reason: 'exit', detail: 'it was ended from outside, or the machine went down' }

export function hostRun(handle: HostHandle, startedAt: number, clock: Clock, start?: string): Run {
  const files = runFiles(handle.dir)

  /** Its shim's answer; undefined when the run has ended. A shim that has just begun opens its gateway in a moment. */
  async function request(request: object, signal?: AbortSignal): Promise<string | undefined> {
    const until = clock.monotonic() + ANSWER_MS
    for (;;) {
      if ((await readEnd(files)) !== undefined) return undefined
      try {
        return await requestGateway(handle.socket, request, signal)
      } catch (error) {
        const shim = await shimProcessOf(files)
        if (shim !== undefined && !isAlive(shim)) return undefined
        if (clock.monotonic() > until) throw error
        await sleep(clock, LOOK_MS, { signal })
      }
    }
  }

  return {
    handle,
    startedAt,
    start,
    async wait({ signal } = {}) {
      for (;;) {
        signal?.throwIfAborted()
        const alive = await shimProcessOf(files).then((shim) => shim !== undefined && isAlive(shim))
        const end = await readEnd(files)
        if (end !== undefined) return end
        if (!alive) return lostEnd(files)
        await requestGateway(handle.socket, { wait: true }, signal).catch(() => sleep(clock, LOOK_MS, { signal }))
      }
    },
    async stop({ graceMs, reason = 'stopped' }) {
      using limit = deadline(clock, graceMs + ANSWER_MS, new TimeoutError('the shim does not answer'))
      try {
        await request({ stop: graceMs, reason }, limit.signal)
      } catch (error) {
        // under the permission model a run has its shim's user, and can hold it
        if (!limit.signal.aborted) throw error
        await killRun(files)
      }
    },
    async stats({ signal } = {}) {
      const answer = await request({ stats: true }, signal)
      if (answer === undefined) throw new UnavailableError('the run has ended')
      return JSON.parse(answer) as RunStats
    },
    async check(_, { timeoutMs, signal }) {
      const answer = await request({ check: Math.ceil(timeoutMs / 1000) }, signal)
      if (answer === undefined) throw new UnavailableError('the run has ended')
      return Number(answer)
    },
    async reachable({ signal } = {}) {
      if (await isGatewayOpen(handle.socket, signal)) return true
      // the shim makes its socket again where the folder is there
      await mkdir(dirname(handle.socket), { recursive: true, mode: 0o711 })
      if (existsSync(files.listen)) await linkSocket(files, handle.socket)
      return false
    },
    outputs: (paths) => taskOutputs(files.outputs, paths),
    serveEgress: (egress, options) => serveEgressThrough(handle.socket, egress, options),
    async connect(port, options = {}) {
      const ended = await readEnd(files)
      if (ended !== undefined) throw new UnavailableError('the run has ended')
      return connectThroughGateway(handle.socket, port, { ...options, clock })
    },
  }
}

/** A shim that could not write how its run ended, or anything else, ended itself. */
async function lostEnd(files: RunFiles): Promise<RunEnd> {
  const said = await readFile(files.stderr, 'utf8').catch(() => '')
  if (!DISK_FULL.test(said.slice(-SAID_CHARACTERS)) && !(await isDiskFull(files.dir))) return LOST
  return { ...LOST, detail: NODE_DISK_FULL, nodeDiskFull: true }
}

/** The shim makes its socket in its own folder, to which the node's leads: a socket's path is short. */
export async function linkSocket(files: RunFiles, socket: string): Promise<void> {
  await rm(socket, { force: true })
  await symlink(files.listen, socket)
}

/** The shim's process in this node's numbering; undefined while, or if ever, it is not known. */
export async function shimProcessOf(files: RunFiles): Promise<ProcessIdentity | undefined> {
  const mark = await readJson<ShimIdentity>(files.identity)
  const pid = childPidOf(await readFile(files.status, 'utf8').catch(() => ''))
  return mark === undefined || pid === undefined ? undefined : { ...mark, pid }
}

/** Ends whatever is left of a run and forgets it. `groupOf`: the control group of a warm sandbox. */
export async function removeHostRun(
  handle: HostHandle,
  clock: Clock,
  groupOf?: (warmId: string) => RunCgroup,
): Promise<void> {
  const files = runFiles(handle.dir)
  await rename(files.plan, files.void).catch(() => {})
  const plan = (await readJson<ShimSpec>(files.taken)) ?? (await readJson<ShimSpec>(files.void))
  const cgroup = plan?.warmId === undefined ? handle.cgroup : (groupOf?.(plan.warmId) ?? plan.cgroup)
  const processes = await killRun(files)
  const until = clock.monotonic() + GONE_MS
  while (processes.some(isAlive) || !(await emptied(cgroup))) {
    if (clock.monotonic() > until) throw new UnavailableError(`the run in ${handle.dir} does not end`)
    await sleep(clock, LOOK_MS)
  }
  for (const socket of [handle.socket, plan?.socket]) if (socket !== undefined) await rm(socket, { force: true })
  // what the kernel has not ended yet may make another file there
  await rm(handle.dir, { recursive: true, force: true, maxRetries: 10 })
}

/** The shim and, where it has no namespace that ends with it, the run. */
async function killRun(files: RunFiles): Promise<ProcessIdentity[]> {
  const found = [await shimProcessOf(files), await readJson<ProcessIdentity>(files.child)]
  const processes = found.filter((process) => process !== undefined)
  for (const process of processes) signalProcess(process, 'SIGKILL')
  return processes
}

async function emptied(cgroup: RunCgroup): Promise<boolean> {
  if (await removeCgroup(cgroup)) return true
  await killCgroup(cgroup)
  return removeCgroup(cgroup)
}

export async function listRuns(runsDir: string): Promise<string[]> {
  return readdir(runsDir).catch(() => [])
}
