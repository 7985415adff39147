import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, messageOf, UnavailableError } from '../../base/errors.ts'
import { watchFolder } from '../../base/os/folder-watch.ts'
import { isAlive } from '../../base/os/process-identity.ts'
import { startProcess } from '../../process/index.ts'
import { MAX_RUNTIME_DIR_BYTES, SANDBOX_UIDS } from '../constants.ts'
import { RunRefusedError } from '../errors.ts'
import { isGatewayOpen } from '../gateway/client.ts'
import type { AdoptedRun, Availability, Executor, Plan, Run } from '../types.ts'
import { isWarm } from '../warm/types.ts'
import { type CgroupRoots, findCgroups } from './cgroup-roots.ts'
import { unenforcedByPermissions } from './permission-model.ts'
import { prepareRun } from './prepare.ts'
import { type HostHandle, hostRun, listRuns, removeHostRun, shimProcessOf } from './run.ts'
import { type RunFiles, readEnd, readJson, runFiles, type ShimIdentity, type ShimSpec } from './run-files.ts'
import { probeSandbox, type Sandbox } from './sandbox-probe.ts'
import { seccompFilter } from './seccomp.ts'
import { installedToolchains, toolVersions } from './tool-versions.ts'
import type { HostExecutorComponents, HostExecutorInit } from './types.ts'
import { createWarmStarts } from './warm/warm-starts.ts'

/** Between looks at a run's folder where the kernel does not say that it has changed. */
const LOOK_MS = 20
/** From the start of a shim to its command: Node starts in 50 ms on an idle machine. */
const START_MS = 30_000

/**
 * Runs services on this machine in a bubblewrap sandbox: own namespaces, no network but loopback, no privileges, a
 * read-only system. Each has a shim, a small process that outlives the node, so that the run is found again.
 */
export function createHostExecutor(
  { clock, log, userIds }: HostExecutorComponents,
  init: HostExecutorInit,
): Executor & AsyncDisposable {
  const node = init.node ?? process.execPath
  const { ownAddress, logs } = init
  const program = init.bubblewrap ?? 'bwrap'
  const root = process.getuid?.() === 0
  if (Buffer.byteLength(init.runtimeDir) > MAX_RUNTIME_DIR_BYTES) {
    throw new InputError(
      `the folder for sockets, ${init.runtimeDir}, is longer than ${MAX_RUNTIME_DIR_BYTES} bytes: name a shorter one`,
    )
  }
  /** runs of this process: an adopter must not take them for what an earlier process left */
  const begun = new Set<string>()
  let found: Promise<{ sandbox: Sandbox; groups: CgroupRoots }> | undefined
  const machine = async (signal?: AbortSignal) => {
    found ??= Promise.all([probeSandbox(program, root ? SANDBOX_UIDS.first : undefined, signal), findGroups()]).then(
      ([sandbox, groups]) => ({
        sandbox,
        groups,
      }),
    )
    const result = await found
    // What was missing may be installed while the node runs.
    if ('unavailableReason' in result.sandbox) found = undefined
    return result
  }
  const findGroups = async (): Promise<CgroupRoots> =>
    init.cgroups === false ? { version: 1, roots: {} } : findCgroups()

  const runId = (plan: Plan) => plan.runId.replaceAll('-', '')
  const groupName = (id: string) => `${init.nodeId}-${id}`.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  const handleOf = (id: string, groups: CgroupRoots): HostHandle => ({
    dir: join(init.runsDir, id),
    socket: join(init.runtimeDir, `${digest(id).slice(0, 16)}.s`),
    cgroup: {
      version: groups.version,
      dirs: Object.fromEntries(Object.entries(groups.roots).map(([name, dir]) => [name, join(dir, groupName(id))])),
    },
  })
  const userOf = (plan: Plan) =>
    root
      ? (plan.uid ?? SANDBOX_UIDS.first + (Number.parseInt(digest(runId(plan)).slice(0, 8), 16) % SANDBOX_UIDS.count))
      : undefined
  const known = { version: 1, roots: {} } as CgroupRoots
  const removeRun = (handle: HostHandle, groups: CgroupRoots) =>
    removeHostRun(handle, clock, (warmId) => handleOf(warmId, groups).cgroup)

  const warm = createWarmStarts(
    { clock, log, userIds },
    {
      ...{ node, logs: init.logs, machine },
      placeOf(id) {
        begun.add(id)
        return { dir: join(init.runsDir, id), groupName: groupName(id) }
      },
      forget: (id) => void begun.delete(id),
      async remove(id) {
        const { groups } = await machine()
        await removeRun(handleOf(id, groups), groups)
        begun.delete(id)
      },
    },
  )

  async function launch(files: RunFiles, shim: { program: string; args: string[] }): Promise<void> {
    const stderrFile = await open(files.stderr, 'a', 0o600)
    const status = await open(files.status, 'a', 0o600)
    try {
      const child = startProcess(
        { kind: 'shim', ...shim },
        { detached: true, stdio: ['ignore', stderrFile.fd, stderrFile.fd, status.fd] },
      )
      const failed = new Promise<never>((_, reject) => {
        child.once('error', reject)
        child.once('exit', () => reject(new Error('it ended at once')))
      })
      failed.catch(() => {})
      await Promise.race([begins(files), failed.catch(async () => assertBegan(files))])
      child.unref()
    } finally {
      await Promise.all([stderrFile.close(), status.close()])
    }
  }

  async function begins(files: RunFiles): Promise<void> {
    const until = clock.monotonic() + START_MS
    using watch = watchFolder(clock, files.dir)
    while (!(await hasBegun(files))) {
      if (clock.monotonic() > until) throw new UnavailableError('the shim of the run did not start in time')
      await watch.change(LOOK_MS)
    }
  }

  return {
    name: 'host',
    keepsOutputs: true,
    async available({ signal } = {}): Promise<Availability> {
      const { sandbox, groups } = await machine(signal)
      if ('bwrap' in sandbox)
        return {
          available: true,
          detail: `bubblewrap (${sandbox.bwrap})`,
          unenforcedLimits: unenforcedLimitsOf(groups),
          networks: ['allowlist', 'open'],
          toolchains: init.programs && installedToolchains(init.programs),
        }
      if (init.sandbox === 'bubblewrap')
        return { available: false, detail: sandbox.unavailableReason, unenforcedLimits: [] }
      const detail = `no sandbox, only Node's permission model for this node's own services: ${sandbox.unavailableReason}`
      return { available: true, detail, unenforcedLimits: unenforcedByPermissions(), ownOnly: true }
    },
    async builderId(plan) {
      const { sandbox } = await machine()
      const kind = 'bwrap' in sandbox ? 'bubblewrap' : 'permission'
      const programs = plan.toolchain.flatMap((name) => init.programs?.[name] ?? [])
      const tools = await toolVersions([...programs, ...plan.command.slice(0, 1)], node)
      return JSON.stringify(['host', process.arch, kind, tools])
    },
    handle: (plan) => ({ ...handleOf(runId(plan), known) }),
    async start(plan, { signal } = {}): Promise<Run> {
      if (plan.image !== undefined || plan.codeDir === undefined)
        throw new RunRefusedError('an OCI image needs a Docker engine')
      const { sandbox, groups } = await machine(signal)
      if ('unavailableReason' in sandbox && init.sandbox === 'bubblewrap')
        throw new RunRefusedError(sandbox.unavailableReason)
      const handle = handleOf(runId(plan), groups)
      const files = runFiles(handle.dir)
      begun.add(runId(plan))
      let start: string | undefined
      try {
        // its folder is the first that is made and the last that is removed
        if (existsSync(handle.dir)) await removeRun(handle, groups)
        await mkdir(init.runtimeDir, { recursive: true, mode: 0o700 })
        signal?.throwIfAborted()
        const begin = await warm.begin(plan, { handle, sandbox, groups })
        start = begin.start
        if (!begin.started) await startCold({ ...plan, uid: begin.uid ?? plan.uid }, { handle, sandbox, groups, start })
      } catch (error) {
        await removeRun(handle, groups).catch((left) =>
          log.warn('a run that did not start left something behind', { left }),
        )
        begun.delete(runId(plan))
        throw error
      }
      return hostRun(handle, (await readJson<ShimIdentity>(files.identity))?.startedAt ?? clock.now(), clock, start)
    },
    async adopt(): Promise<AdoptedRun[]> {
      const { groups } = await machine()
      const runs = await Promise.all((await listRuns(init.runsDir)).map((id) => look(id, groups)))
      return runs.filter((run) => run !== undefined)
    },
    async remove(handle): Promise<void> {
      const { dir, socket } = handle as HostHandle
      const id = dir.slice(dir.lastIndexOf('/') + 1)
      const { groups } = await machine()
      await removeRun({ dir, socket, cgroup: handleOf(id, groups).cgroup }, groups)
      begun.delete(id)
    },
    keepWarm: (wanted, options) =>
      warm.keep(wanted, options).catch((error) => log.warn('nothing can be kept warm', { reason: messageOf(error) })),
    [Symbol.asyncDispose]: () => warm[Symbol.asyncDispose](),
  }

  async function startCold(
    plan: Plan,
    init: { handle: HostHandle; sandbox: Sandbox; groups: CgroupRoots; start: string | undefined },
  ): Promise<void> {
    await mkdir(init.handle.dir, { recursive: true, mode: 0o711 })
    const name = groupName(runId(plan))
    const own = { groupName: name, uid: userOf(plan), node, ownAddress, logs }
    await launch(runFiles(init.handle.dir), await prepareRun({ ...init, ...own, plan }))
  }

  async function look(id: string, groups: CgroupRoots): Promise<AdoptedRun | undefined> {
    const handle = handleOf(id, groups)
    const files = runFiles(handle.dir)
    const voided =
      !begun.has(id) &&
      (await rename(files.plan, files.void).then(
        () => true,
        () => false,
      ))
    const plan = (await readJson<ShimSpec>(files.taken)) ?? (await readJson<ShimSpec>(files.void))
    // a sandbox that an earlier process kept warm is no run, whatever it was about to become
    if (plan === undefined || isWarm(id)) {
      if (!begun.has(id)) await removeRun(handle, groups)
      return undefined
    }
    const taken = !voided && (await readJson(files.taken)) !== undefined
    const shim = taken ? await shimProcessOf(files) : undefined
    const startedAt = (await readJson<ShimIdentity>(files.identity))?.startedAt ?? clock.now()
    const state = !taken ? 'prepared' : shim !== undefined && isAlive(shim) ? 'running' : 'ended'
    return {
      runId: plan.runId,
      service: plan.service,
      purpose: plan.purpose,
      state,
      // where it listens was decided when it began, perhaps by another version
      run: hostRun({ ...handle, socket: plan.socket }, startedAt, clock, plan.start),
    }
  }
}

function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}

function unenforcedLimitsOf({ roots }: CgroupRoots): string[] {
  const unenforced = [
    'disk: no disk of its own, since /work lies in memory; where memory is watched only, it comes on top of that',
  ]
  if (process.getuid?.() !== 0) unenforced.push("user: the node's own, which its runs share")
  if (roots.memory === undefined) unenforced.push('memory: watched')
  if (roots.pids === undefined) unenforced.push("pids: by the kernel's limit per user")
  if (seccompFilter({ counted: true }) === undefined) unenforced.push('system calls: not filtered on this processor')
  if (roots.cpu === undefined) unenforced.push('cpu: not limited')
  return unenforced
}

/**
 * The shim has taken the plan and written its identity, and its gateway is open: a node that closes removes the folder of
 * its gateways where it is empty.
 */
async function hasBegun(files: RunFiles): Promise<boolean> {
  const plan = await readJson<ShimSpec>(files.taken)
  if (plan === undefined || (await shimProcessOf(files)) === undefined) return false
  // its name is there before it listens
  return (await isGatewayOpen(plan.socket).catch(() => false)) || (await readEnd(files)) !== undefined
}

async function assertBegan(files: RunFiles): Promise<void> {
  if (await hasBegun(files)) return
  const problem = (await readFile(files.stderr, 'utf8').catch(() => '')).trim().slice(-300)
  throw new UnavailableError(`the sandbox could not be started: ${problem || 'no reason given'}`)
}
