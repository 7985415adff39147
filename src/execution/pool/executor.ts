import { createHash } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { watchFolder } from '../../base/os/folder-watch.ts'
import { SANDBOX_UIDS } from '../constants.ts'
import { createEngine, isTransient, reasonOf, statusOf } from '../docker/engine.ts'
import { ensureNodeImage } from '../docker/images/node-image.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import { isGatewayOpen } from '../gateway/client.ts'
import { linkSocket, shimProcessOf } from '../host/run.ts'
import { type RunFiles, readEnd, readJson, runFiles, type ShimIdentity } from '../host/run-files.ts'
import type { AdoptedRun, Availability, Plan, Run } from '../types.ts'
import { createPoolData } from './data.ts'
import { beginExec } from './exec.ts'
import { createPools, type OpenPool } from './pools.ts'
import { FOR_ALL, preparePoolRun } from './prepare.ts'
import { lookAtRun, noteProcess, type PoolHandle, poolRun, statusOf as processStatus, removePoolRun } from './run.ts'
import { specOf, usersOf } from './run-specs.ts'
import { missingTool } from './tools.ts'
import type { PoolExecutor, PoolExecutorComponents, PoolExecutorInit } from './types.ts'

/** From the start of a shim to its gateway. */
const START_MS = 30_000
const LOOK_MS = 20

/** Limits of one run that its pool does not hold, for a person. */
const UNENFORCED = [
  'memory: watched, and held for the pool as a whole',
  'cpu: held for the pool as a whole',
  'disk: no disk of its own, since /work lies in memory and counts as memory of the pool',
]

/**
 * Runs services of one owner side by side in a container, the pool, by `exec`. Each has namespaces, a user, a disk and a
 * shim of its own, as on the host; the engine's limits are the pool's.
 */
export function createPoolExecutor({ clock, rng }: PoolExecutorComponents, init: PoolExecutorInit): PoolExecutor {
  const { builder } = init
  const engine = createEngine(init.docker, clock)
  const data = createPoolData({ clock, rng }, join(init.poolsDir, 'data'))
  const pools = createPools({ engine, clock, data, nodeImage: () => ensureNodeImage(engine) }, init)
  /** runs of this process: an adopter must not take them for what an earlier process left */
  const begun = new Set<string>()

  const runId = (plan: Plan) => plan.runId.replaceAll('-', '')
  const handleAt = (dir: string): PoolHandle => ({
    pool: '',
    dir,
    socket: join(init.runtimeDir, `${digest(basename(dir)).slice(0, 16)}.p`),
  })
  const handleOf = (plan: Plan): PoolHandle => {
    const pool = plan.grant.pool ?? ''
    return { ...handleAt(join(pools.runsDir(pool), runId(plan))), pool }
  }
  const userOf = (plan: Plan) =>
    plan.uid ?? SANDBOX_UIDS.first + (Number.parseInt(digest(runId(plan)).slice(0, 8), 16) % SANDBOX_UIDS.count)

  /** Where the pool of a run is gone, or has stopped, nothing of the run is left in it. */
  async function containerOf({ pool }: PoolHandle): Promise<OpenPool | undefined> {
    if (pool === '') return undefined
    const found = await pools.find(pool)
    return found?.running === true ? found : undefined
  }

  async function remove(handle: PoolHandle): Promise<void> {
    const name = handle.pool || ((await specOf(runFiles(handle.dir)))?.pool ?? '')
    await removePoolRun({ engine, clock }, handle, await containerOf({ ...handle, pool: name }))
  }

  /** A build has a container of its own, with what is in the pool. */
  async function withImage(plan: Plan): Promise<Plan> {
    const { image } = await pools.open(plan.grant.pool ?? '', plan.author)
    return { ...plan, imageId: image }
  }

  async function begin(plan: Plan, signal: AbortSignal | undefined): Promise<Run> {
    const { pool: name } = plan.grant
    if (name === undefined) throw new RunRefusedError('the grant names no pool')
    if (plan.image !== undefined || plan.codeDir === undefined)
      throw new RunRefusedError('an OCI image runs in a container of its own, not in a pool')
    if (plan.readOnlyMounts !== undefined) throw new RunRefusedError("this run needs the host's sandbox")
    const handle = handleOf(plan)
    const files = runFiles(handle.dir)
    const pool = await pools.open(name, plan.author)
    const tools = await pools.tools()
    await remove(handle)
    const kept = pool.hasData ? plan.name : undefined
    const uid = kept === undefined ? userOf(plan) : await data.folder(name, kept)
    try {
      await mkdir(init.runtimeDir, { recursive: true, mode: 0o700 })
      await mkdir(handle.dir, { recursive: true, mode: 0o755 })
      // open from here on: the folder becomes the run's user's, and a name there could be a link
      await using status = await open(files.status, 'wx', 0o600)
      await writeFile(files.stderr, '')
      await chmod(files.stderr, FOR_ALL)
      const { codeDirs, logsDir, logs } = init
      const about = { pool: name, uid, tools, data: kept, imageEnv: pool.env, codeDirs, logsDir, logs }
      const command = await preparePoolRun(clock, { plan, handle, ...about })
      if (kept !== undefined) await refuseSecond(pools.runsDir(name), kept, runId(plan))
      await linkSocket(files, handle.socket)
      signal?.throwIfAborted()
      const id = await beginExec(engine, pool.container, { user: '0:0', command })
      const { Pid } = await engine.ask((docker) => docker.getExec(id).inspect())
      await status.writeFile(processStatus(Pid))
      await begins(files, handle)
      return poolRun(handle, (await readJson<ShimIdentity>(files.identity))?.startedAt ?? clock.now(), clock)
    } catch (error) {
      await remove(handle).catch(() => {})
      if (statusOf(error) === undefined) throw error
      if (isTransient(error) || statusOf(error) === 409)
        throw new EngineGoneError(`the pool cannot take it now: ${reasonOf(error)}`, { cause: error })
      throw new RunRefusedError(`the pool does not take it: ${reasonOf(error).slice(0, 300)}`, { cause: error })
    }
  }

  /** Its shim has taken the plan, and its gateway is open. */
  async function begins(files: RunFiles, { socket }: PoolHandle): Promise<void> {
    const until = clock.monotonic() + START_MS
    using watch = watchFolder(clock, files.dir)
    for (;;) {
      const has = (await readJson(files.taken)) !== undefined && (await shimProcessOf(files)) !== undefined
      if (has && ((await isGatewayOpen(socket).catch(() => false)) || (await readEnd(files)) !== undefined)) return
      if (clock.monotonic() > until) {
        const problem = (await readFile(files.stderr, 'utf8').catch(() => '')).trim().slice(-300)
        throw new UnavailableError(`the run could not be started in its pool: ${problem || 'no reason given'}`)
      }
      await watch.change(LOOK_MS)
    }
  }

  async function available(): Promise<Availability> {
    const none = (detail: string): Availability => ({ available: false, detail, unenforcedLimits: [] })
    if (process.getuid?.() !== 0) return none('pools need a node that is root')
    const missing = missingTool()
    if (missing !== undefined) return none(missing)
    try {
      const found = await pools.list()
      if (found.length === 0) return none('there is no pool: make one with "thundercloud pool create"')
      const detail = `${found.length} ${found.length === 1 ? 'pool' : 'pools'} in the Docker engine`
      const [networks, unenforcedLimits] = [['allowlist', 'open'] as const, UNENFORCED]
      return { available: true, detail, unenforcedLimits, networks, pools: found }
    } catch (error) {
      return none(messageOf(error))
    }
  }

  return {
    name: 'pool',
    keepsOutputs: true,
    pools,
    available,
    builderId: async (plan) => JSON.stringify(['pool', await builder.builderId(await withImage(plan))]),
    handle: (plan) => (plan.purpose === 'build' ? builder.handle(plan) : handleOf(plan)),
    async start(plan, { signal } = {}): Promise<Run> {
      if (plan.purpose === 'build') return builder.start(await withImage(plan), { signal })
      begun.add(runId(plan))
      try {
        return await begin(plan, signal)
      } catch (error) {
        begun.delete(runId(plan))
        throw error
      }
    },
    isExclusive: async ({ name, grant }) =>
      name !== undefined && grant.pool !== undefined && (await pools.find(grant.pool))?.hasData === true,
    async adopt(): Promise<AdoptedRun[]> {
      await pools.sweepData()
      const runs: AdoptedRun[] = []
      for (const folder of await pools.folders()) {
        for (const id of await readdir(folder).catch(() => [])) {
          const files = runFiles(join(folder, id))
          const handle = { ...handleAt(files.dir), pool: (await specOf(files))?.pool ?? '' }
          const pool = await containerOf(handle)
          if (pool !== undefined) await noteProcess(engine, pool.container, handle)
          const found = await lookAtRun(handle, begun.has(id), clock)
          if (found !== undefined) runs.push(found)
          else if (!begun.has(id)) await removePoolRun({ engine, clock }, handle, undefined)
        }
      }
      return runs
    },
    async remove(handle): Promise<void> {
      if (!isPoolHandle(handle)) return builder.remove(handle)
      await remove(handle)
      begun.delete(basename(handle.dir))
    },
    async [Symbol.asyncDispose]() {
      engine.close()
    },
  }
}

/** A database that another process space has open would be destroyed: its lock names a process that is not seen here. */
async function refuseSecond(runsDir: string, service: string, own: string): Promise<void> {
  const others = (await usersOf(runsDir, service)).filter((id) => id !== own)
  if (others.length > 0)
    throw new UnavailableError(`another run of ${service} has its data in the pool: it starts when that one is removed`)
}

function isPoolHandle(handle: unknown): handle is PoolHandle {
  return typeof handle === 'object' && handle !== null && 'pool' in handle
}

function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}
