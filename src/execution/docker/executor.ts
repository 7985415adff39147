import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { InputError } from '../../base/errors.ts'
import { LABEL, LABEL_ROLE, MAX_RUNTIME_DIR_BYTES } from '../constants.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import { formatLine } from '../logs/format.ts'
import { limitsOf } from '../logs/limits.ts'
import { createLogWriter, type LogLimits } from '../logs/writer.ts'
import type { AdoptedRun, Plan, Run } from '../types.ts'
import { type CodePlan, completeBuild, hasCode, isBuild, type RunPlan } from './build.ts'
import { imageDisk, memoryDisk } from './build-disk.ts'
import { createCodeVolumes } from './code-volumes.ts'
import { beginsWhereImageSays, CODE, type DockerHandle, nodeFilter, runOptions, WORK } from './container-options.ts'
import {
  createContainer,
  createEngine,
  isNoProgram,
  isTransient,
  reasonOf,
  removeContainer,
  statusOf,
} from './engine.ts'
import { createEngineLocalities, type EngineLocality } from './engine-locality.ts'
import { dockerHandle, makeReadable, writeShownFiles } from './folders.ts'
import { createGateways } from './gateways.ts'
import { refuseHostileFiles } from './images/image-files.ts'
import { refuseVolumes, refuseWorkingDir, wishesOf } from './images/image-wishes.ts'
import { createImages } from './images/images.ts'
import { availabilityOf, type EngineInfo, hasSeccomp } from './machine.ts'
import { type AttachedStream, createAttachedStream } from './output/attached-output.ts'
import { attachOutput } from './output/log-copier.ts'
import { dockerRun, finishedRun } from './run.ts'
import { type LabelledRun, parseRunLabels, runLabels } from './run-labels.ts'
import type { DockerExecutor, DockerExecutorComponents, DockerExecutorInit } from './types.ts'

/**
 * Runs services in containers of a Docker engine: no network but loopback, no capabilities, a read-only root, and the
 * grant's limits. A container of our own Node beside each is the gateway to its ports. An engine that sees our folders binds
 * them; to any other (on another machine, say) code is sent, and its gateways are reached through their stdio.
 */
export function createDockerExecutor({ clock }: DockerExecutorComponents, init: DockerExecutorInit): DockerExecutor {
  const { nodeId, runtimeDir } = init
  if (Buffer.byteLength(runtimeDir) > MAX_RUNTIME_DIR_BYTES) {
    throw new InputError(
      `the folder for sockets, ${runtimeDir}, is longer than ${MAX_RUNTIME_DIR_BYTES} bytes: name a shorter one`,
    )
  }
  const engine = createEngine(init.docker, clock)
  const { ask, askMaybe } = engine
  const images = createImages({ engine, clock }, init)
  const gateways = createGateways({
    engine,
    images,
    clock,
    nodeId,
    filters: async () => hasSeccomp(await features()),
  })
  const codeVolumes = createCodeVolumes({ engine, clock, nodeId })
  const localities = createEngineLocalities({ engine, clock, config: init.docker, nodeId, runtimeDir })
  let machine: Promise<EngineInfo> | undefined
  /** Runs that are being started: what there is of them is not lost. */
  const beginning = new Set<string>()
  /** what containers write, by their names */
  const held = new Map<string, AttachedStream>()

  async function features(): Promise<EngineInfo> {
    machine ??= ask((docker) => docker.info())
    machine.catch(() => {
      machine = undefined
    })
    return machine
  }

  const handleOf = (runId: string) => dockerHandle(runtimeDir, runId)

  function logsOf(plan: Plan): LogLimits {
    return limitsOf('run', init.logs, plan.grant.diskBytes)
  }

  function runOf(
    plan: RunPlan,
    logs: LogLimits,
    began: { startedAt: number; locality: EngineLocality; gatewayFirst: boolean; attached?: AttachedStream },
  ): Run {
    const handle = handleOf(plan.runId)
    const { locality } = began
    const attend = isBuild(plan)
      ? completeBuild.bind(null, { clock, gateways, codeVolumes, handle, locality, plan })
      : undefined
    return dockerRun({ engine, gateways, clock, logs, handle, plan, attend, ...began })
  }

  function hold({ name }: DockerHandle, source: Readable): AttachedStream {
    const attached = createAttachedStream(source, clock)
    held.set(name, attached)
    return attached
  }

  async function remove(handle: DockerHandle): Promise<void> {
    gateways.close(handle)
    held.get(handle.name)?.close()
    held.delete(handle.name)
    // the run first: it lives in the namespaces of its gateway
    await removeContainer(engine, handle.name)
    await removeContainer(engine, handle.door)
    if (localities.known !== 'local') await codeVolumes.remove(handle)
    await rm(dirname(handle.socket), { recursive: true, force: true })
  }

  async function create(
    plan: Plan,
    image: string,
    locality: EngineLocality,
    volume: string | undefined,
  ): Promise<void> {
    const info = await features()
    const handle = handleOf(plan.runId)
    const { runtime } = init.docker
    const wishes = await wishesOf(engine, image)
    const workingDir = beginsWhereImageSays(plan) ? wishes.workingDir : ''
    refuseWorkingDir(workingDir)
    // A MemorySwap that it cannot set is an error in some engines, a warning in others.
    const memory = { swap: info.SwapLimit === true || info.CgroupVersion === '2' }
    const work = plan.outputs === undefined ? undefined : await codeVolumes.workOf(handle)
    const files = locality === 'local' ? await writeShownFiles(dirname(handle.socket), plan) : {}
    const seccomp = hasSeccomp(info)
    const options = runOptions({
      plan,
      handle,
      nodeId,
      image,
      wishes,
      runtime,
      volume,
      work,
      memory,
      seccomp,
      ...files,
    })
    const Labels = { ...options.Labels, ...runLabels(plan, locality, logsOf(plan).maxBytes) }
    await createContainer(engine, { ...options, Labels })
    await refuseVolumes(engine, handle.name, [volume, work])
    if (plan.image !== undefined) await refuseHostileFiles(engine, handle.name, { ...wishes, workingDir })
  }

  /** Its gateway runs, and its container is made: one beside the other, for each takes the engine its time. */
  async function openRun(plan: Plan, image: string, locality: EngineLocality): Promise<AttachedStream> {
    const handle = handleOf(plan.runId)
    const volume = locality === 'remote' && hasCode(plan) ? await codeVolumes.send(plan, handle, image) : undefined
    const disk = plan.outputs && ({ driver: memoryDisk(plan, '0700').driver, at: WORK } as const)
    const target = { handle, plan, locality, gatewayFirst: true, lifetime: plan.lifetime, disk }
    const made = Promise.withResolvers<AttachedStream>()
    await gateways.open(target, async () => made.resolve(await createAttached(plan, image, locality, volume)))
    return made.promise
  }

  /** It has not begun: then its output is complete. */
  async function createAttached(
    plan: Plan,
    image: string,
    locality: EngineLocality,
    volume: string | undefined,
  ): Promise<AttachedStream> {
    const handle = handleOf(plan.runId)
    await create(plan, image, locality, volume)
    return hold(handle, await attachOutput(engine, handle.name))
  }

  async function openBuild(plan: CodePlan, image: string, locality: EngineLocality): Promise<AttachedStream> {
    const handle = handleOf(plan.runId)
    const { diskBytes, memoryBytes } = plan.grant
    const target = { handle, plan, locality, gatewayFirst: true, lifetime: plan.lifetime }
    const large = locality === 'local' && process.getuid?.() === 0 && diskBytes > memoryBytes / 2
    const disk = (large ? await imageDisk(clock, plan) : undefined) ?? memoryDisk(plan)
    try {
      await gateways.open({ ...target, disk: { driver: disk.driver, at: CODE } })
    } catch (error) {
      // an engine in a namespace of its own may not mount it
      if (disk.driver.type === 'tmpfs' || statusOf(error) === undefined) throw error
      await gateways.open({ ...target, disk: { driver: memoryDisk(plan).driver, at: CODE } })
    } finally {
      await disk.release()
    }
    return createAttached(plan, image, locality, await codeVolumes.sendBuild(plan, handle, image))
  }

  async function begin(plan: Plan, signal: AbortSignal | undefined): Promise<Run> {
    if (plan.readOnlyMounts !== undefined) throw new RunRefusedError("this run needs the host's sandbox")
    const handle = handleOf(plan.runId)
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 })
    const [image, locality] = await Promise.all([
      images.ofPlan(plan),
      features().then((info) => localities.of(info, images.nodeImage)),
    ])
    if (locality === 'local' && plan.codeDir !== undefined) await makeReadable(plan.codeDir)
    signal?.throwIfAborted()
    await remove(handle)
    try {
      // a remote engine does not see our passwd file
      const user = locality === 'local' ? plan : { ...plan, uid: undefined }
      const attached = isBuild(user) ? await openBuild(user, image, locality) : await openRun(user, image, locality)
      signal?.throwIfAborted()
      await ask((docker) => docker.getContainer(handle.name).start())
      return runOf(plan, logsOf(plan), { startedAt: clock.now(), locality, gatewayFirst: true, attached })
    } catch (error) {
      await remove(handle)
      const status = statusOf(error)
      if (status === undefined) throw error
      if (isNoProgram(error)) return endedRun(plan, handle, reasonOf(error))
      if (isTransient(error)) {
        throw new EngineGoneError(`the Docker engine cannot start it now: ${reasonOf(error)}`, { cause: error })
      }
      const reason = reasonOf(error).slice(0, 300)
      throw new RunRefusedError(`the Docker engine does not start it: ${reason}`, { cause: error })
    }
  }

  async function adoptRun(id: string, { plan, purpose, locality, logBytes }: LabelledRun): Promise<AdoptedRun[]> {
    const info = await askMaybe((docker) => docker.getContainer(id).inspect())
    if (info === undefined) return []
    const { runId, service } = plan
    if (info.State.Status === 'created') {
      return [{ runId, service, purpose, state: 'prepared', run: preparedRun(handleOf(runId)) }]
    }
    const run = runOf(
      plan,
      { ...init.logs, maxBytes: logBytes ?? init.logs.maxBytes },
      {
        startedAt: Date.parse(info.State.StartedAt),
        locality,
        gatewayFirst: info.HostConfig.NetworkMode?.startsWith('container:') === true,
      },
    )
    return [{ runId, service, purpose, state: info.State.Running ? 'running' : 'ended', run }]
  }

  return {
    name: 'docker',
    keepsOutputs: true,
    available: () => availabilityOf(engine, init.docker),
    hasImage: images.has,
    builderId: async (plan) =>
      JSON.stringify(['docker', (await features()).Architecture, init.docker.runtime ?? '', await images.ofPlan(plan)]),
    handle: (plan) => handleOf(plan.runId),
    async start(plan, { signal } = {}): Promise<Run> {
      beginning.add(plan.runId)
      try {
        return await begin(plan, signal)
      } finally {
        beginning.delete(plan.runId)
        images.begun(plan.runId)
      }
    },
    async adopt(): Promise<AdoptedRun[]> {
      // Another engine may answer now.
      machine = undefined
      const filters = nodeFilter(nodeId)
      const containers = await ask((docker) => docker.listContainers({ all: true, filters }))
      const runs = containers.flatMap(({ Id, Labels }) => {
        const labelled = parseRunLabels(Labels)
        return labelled === undefined ? [] : [{ id: Id, labelled }]
      })
      const alive = new Set([...beginning, ...runs.map(({ labelled }) => labelled.plan.runId)])
      for (const { Id, Labels } of containers) {
        const isProbe = Labels[LABEL_ROLE] === 'probe' && beginning.size > 0
        if (!alive.has(Labels[LABEL.run] ?? '') && !isProbe) await removeContainer(engine, Id)
      }
      if (localities.known !== 'local') await codeVolumes.sweep(alive)
      // what an earlier process loaded and a run needs is claimed by then
      images.sweepLater()
      const adopted = await Promise.all(runs.map(({ id, labelled }) => adoptRun(id, labelled)))
      return adopted.flat()
    },
    async remove(handle) {
      await remove(handle as DockerHandle)
      images.sweepLater()
    },
    async [Symbol.asyncDispose]() {
      images[Symbol.dispose]()
      gateways.closeAll()
      for (const attached of held.values()) attached.close()
      engine.close()
    },
  }

  /** A command that is not a program ends as it does in a shell. */
  async function endedRun(plan: Plan, handle: DockerHandle, reason: string): Promise<Run> {
    const detail = reason.replace(/^.*?exec: /s, 'exec: ').slice(0, 200)
    await using writer = createLogWriter(plan.logDir, 'run', logsOf(plan))
    await writer.write(formatLine('err', clock.now(), detail))
    return finishedRun(handle, clock.now(), { exitCode: 127, reason: 'exit', detail })
  }

  function preparedRun(handle: DockerHandle): Run {
    return finishedRun(handle, clock.now(), { exitCode: 125, reason: 'stopped', detail: 'it was never started' })
  }
}
