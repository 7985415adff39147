import { rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import { messageOf, UnavailableError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Plan, ReadOnlyMount, WarmClass, WarmStarts } from '../../types.ts'
import type { UserIds } from '../../user-ids.ts'
import { warmProgramOf } from '../../warm/cold-reason.ts'
import { createWarmPool } from '../../warm/pool.ts'
import type { WarmProgram } from '../../warm/types.ts'
import type { DockerHandle } from '../container-options.ts'
import type { Engine } from '../engine.ts'
import type { EngineLocality } from '../engine-locality.ts'
import { dockerHandle } from '../folders.ts'
import { beginGateway, beginProgram } from './begin.ts'
import { NO_CODE } from './bootstrap.ts'
import { createWarmFolders } from './folders.ts'
import { startWarmGateway } from './gateway.ts'
import { hasTakenMessage } from './has-taken-message.ts'
import { writeHosts } from './hosts-file.ts'
import { idlePlan, startIdleProgram } from './program.ts'
import type { RunLabels } from './run-labels-file.ts'
import type { WarmContainer } from './types.ts'

/** Of the first container of a class; each that follows has what the last run had. */
const FIRST_CPU = 1000
const REMOTE = 'containers are kept warm only where the engine sees the folders of this machine'
const NOT_ROOT = 'only a node that is root can show its code to a container which is there already'

export type DockerWarmStartsInit = {
  readonly nodeId: string
  readonly runtimeDir: string
  locality(): Promise<EngineLocality>
  /** The image of gateways, and that of a plan. */
  image(plan: Plan | undefined): Promise<string>
  filters(): Promise<boolean>
  /** Makes a container that is not started. */
  create(plan: Plan, handle: DockerHandle, image: string, hosts: ReadOnlyMount): Promise<void>
  /** Ends and removes what an engine has by these names. */
  remove(handle: DockerHandle): Promise<void>
}

/** How a run begins. `output`: it did, in a container that was there. `hosts`: its gateway is there, and this is the hosts file for it. */
export type DockerWarmBegin = {
  readonly start: string | undefined
  readonly output?: Readable
  readonly hosts?: ReadOnlyMount
  /** the user that it has, where its program begins cold after all */
  readonly uid?: number
}

/** Containers that an engine keeps warm, and the starts that take them. */
export interface DockerWarmStarts extends AsyncDisposable {
  keep(wanted: WarmStarts, options?: { renew?: boolean | undefined }): Promise<void>
  begin(plan: Plan, options: { handle: DockerHandle; record(start: string): RunLabels }): Promise<DockerWarmBegin>
  /** Is it the run's, by what its container did? False: it never begins. */
  hasTaken(handle: DockerHandle): Promise<boolean>
  /** Is this the label of one that waits here? */
  isIdle(runId: string): boolean
  /** Takes away what a run's code was mounted in. */
  removeFolder(handle: DockerHandle): Promise<void>
  /** Takes away what is of none of these. */
  sweep(handles: readonly DockerHandle[]): Promise<void>
}

export function createDockerWarmStarts(
  components: { clock: Clock; log: Log; engine: Engine; userIds: UserIds | undefined },
  init: DockerWarmStartsInit,
): DockerWarmStarts {
  const { clock, log, engine, userIds } = components
  const { nodeId, runtimeDir } = init
  const folders = createWarmFolders(clock, runtimeDir)
  const cpus = new Map<string, number>()
  let wanted: WarmStarts | undefined
  let renewing = false
  let noClasses: string | undefined
  const known = new Set<string>()

  const labelOf = (id: string) => `${nodeId}-${id}`
  const handleOf = (id: string) => dockerHandle(runtimeDir, labelOf(id))
  const nameOf = ({ socket }: DockerHandle) => basename(dirname(socket))
  const nodePlan = (warmClass: WarmClass) =>
    idlePlan('', { warmClass, uid: 0, cpuMillicores: FIRST_CPU, paths: folders.paths('') })

  async function versionOf(warmClass: WarmClass | undefined): Promise<string> {
    const [gateway, node] = await Promise.all([init.image(undefined), warmClass && init.image(nodePlan(warmClass))])
    return [gateway, node ?? ''].join(' ')
  }

  async function create(id: string, warmClass: WarmClass | undefined): Promise<WarmContainer> {
    const handle = handleOf(id)
    const runId = labelOf(id)
    known.add(runId)
    const [image, seccomp, version] = await Promise.all([init.image(undefined), init.filters(), versionOf(warmClass)])
    const gateway = await startWarmGateway({ engine, clock }, { handle, runId, nodeId, image, seccomp })
    try {
      const program = warmClass && (await createProgram(id, warmClass))
      const end = () => {
        gateway.end()
        program?.pipes.close()
        program?.mounter.leave()
        program?.output.destroy()
      }
      const answer = Promise.all([gateway.answer, program?.answer]).then(([said]) => said)
      answer.catch(() => {})
      return { id, warmClass, version, handle, gateway, program, answer, end }
    } catch (error) {
      gateway.end()
      throw error
    }
  }

  async function createProgram(id: string, warmClass: WarmClass) {
    if (userIds === undefined) throw new UnavailableError(NOT_ROOT)
    await folders.open()
    const handle = handleOf(id)
    const paths = folders.paths(nameOf(handle))
    const cpuMillicores = cpus.get(keyOf(warmClass)) ?? FIRST_CPU
    const plan = idlePlan(labelOf(id), { warmClass, uid: userIds.claim(id), paths, cpuMillicores })
    return startIdleProgram(
      { engine, clock },
      {
        ...{ handle, paths, cpuMillicores, uid: plan.uid as number },
        create: async () => init.create(plan, handle, await init.image(plan), await writeHosts(handle, [])),
      },
    )
  }

  async function discard(id: string): Promise<void> {
    const handle = handleOf(id)
    await init.remove(handle)
    await rm(dirname(handle.socket), { recursive: true, force: true })
    await folders.remove(nameOf(handle))
    userIds?.release(id)
    known.delete(labelOf(id))
  }

  const pool = createWarmPool<WarmContainer>(
    { clock, log },
    { create, remove: discard, version: versionOf, never: neverWarm, programOf },
  )

  async function beginIn(
    warm: WarmContainer,
    program: WarmProgram | undefined,
    begin: Parameters<typeof beginProgram>[2],
    start: string,
  ): Promise<DockerWarmBegin> {
    const { plan, handle } = begin
    const idle = warm.program
    try {
      if (program === undefined || idle === undefined) {
        const hosts = await beginGateway({ engine, clock, folders }, warm, begin)
        known.delete(labelOf(warm.id))
        return { start, hosts }
      }
      userIds?.transfer(warm.id, plan.runId)
      if (warm.warmClass !== undefined) cpus.set(keyOf(warm.warmClass), plan.grant.cpuMillicores)
      const problem = await beginProgram({ engine, clock, folders }, { warm, idle }, begin, program)
      if (problem === NO_CODE) noClasses = NO_CODE
      if (problem !== undefined) throw new UnavailableError(problem)
      known.delete(labelOf(warm.id))
      return { start, output: idle.output }
    } catch (error) {
      log.warn('a run did not begin in a warm container, and begins cold', { reason: messageOf(error) })
      warm.end()
      // it waits for no run any more, also where it cannot be removed yet
      known.delete(labelOf(warm.id))
      await pool.remove(warm.id)
      await init.remove(handle)
      await folders.remove(nameOf(handle))
      await rm(dirname(handle.socket), { recursive: true, force: true })
      return { start: 'cold start: a warm container failed', ...(idle && { uid: idle.uid }) }
    }
  }

  return {
    async keep(next, options) {
      wanted = next
      renewing ||= options?.renew === true
      if (next.gateways === 0 && next.classes.length === 0) {
        return await pool.keep({ classes: [], gateways: 0, freeBytes: () => 0 })
      }
      const locality = await init.locality()
      // a later call does it
      if (wanted !== next) return
      const renew = renewing
      renewing = false
      // what the engine shows may be another by now
      if (renew) noClasses = undefined
      if (locality === 'remote') return await pool.keep({ ...next, classes: [], gateways: 0 })
      await pool.keep(next, { renew, noClasses: userIds === undefined ? NOT_ROOT : noClasses })
    },
    async begin(plan, { handle, record }) {
      if (wanted === undefined || (wanted.gateways === 0 && wanted.classes.length === 0)) return { start: undefined }
      if ((await init.locality()) === 'remote') return { start: `cold start: ${REMOTE}` }
      const { warm, program, start } = await pool.take(plan)
      if (warm === undefined) return { start }
      try {
        const { codeDir = '' } = plan
        return await beginIn(warm, program, { plan: { ...plan, codeDir }, handle, record: record(start) }, start)
      } finally {
        void pool.refill()
      }
    },
    hasTaken: (handle) => hasTakenMessage(folders.paths(nameOf(handle)).own),
    isIdle: (runId) => known.has(runId),
    removeFolder: (handle) => folders.remove(nameOf(handle)),
    async sweep(handles) {
      const kept = new Set([
        ...handles.map(nameOf),
        ...[...known].map((runId) => nameOf(dockerHandle(runtimeDir, runId))),
      ])
      for (const name of await folders.list()) if (!kept.has(name)) await folders.remove(name)
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]()
      await folders.close()
    },
  }
}

/** Why a plan can have no gateway that is there already; undefined where it can. */
function neverWarm(plan: Plan): string | undefined {
  if (plan.purpose !== 'run') return 'it is a build'
  return plan.outputs === undefined ? undefined : 'its gateway keeps what it leaves (run.outputs)'
}

function programOf(plan: Plan) {
  if (plan.image !== undefined || plan.imageId !== undefined || plan.toolchain.join() !== 'node.js')
    return { coldReason: 'its image is not that of node.js' }
  if (plan.files !== undefined) return { coldReason: 'it sees files of this machine' }
  return warmProgramOf(plan)
}

function keyOf({ memoryBytes, diskBytes, pids }: WarmClass): string {
  return [memoryBytes, diskBytes, pids].join(' ')
}
