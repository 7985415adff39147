import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { InputError, messageOf } from '../../base/errors.ts'
import { MAX_RUNTIME_DIR_BYTES } from '../constants.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import { formatLine } from '../logs/format.ts'
import { limitsOf } from '../logs/limits.ts'
import { createLogWriter, type LogLimits } from '../logs/writer.ts'
import type { AdoptedRun, Plan, Run } from '../types.ts'
import { adoptRuns } from './adopt.ts'
import { completeBuild, isBuild, type RunPlan } from './build/build.ts'
import { createCodeVolumes } from './code-volumes.ts'
import type { DockerHandle } from './container-options.ts'
import { createEngine, isNoProgram, isTransient, reasonOf, removeContainer, statusOf } from './engine.ts'
import { createEngineLocalities, type EngineLocality } from './engine-locality.ts'
import { dockerHandle, journalledHandle, makeReadable } from './folders.ts'
import { createGateways } from './gateways.ts'
import { createImages } from './images/images.ts'
import { availabilityOf, type EngineInfo, hasSeccomp } from './machine.ts'
import { type AttachedStream, createAttachedStream } from './output/attached-output.ts'
import { dockerRun, finishedRun } from './run.ts'
import { createRunContainers } from './run-containers.ts'
import { runLabels, warmRunLabels } from './run-labels.ts'
import type { DockerExecutor, DockerExecutorComponents, DockerExecutorInit } from './types.ts'
import { NO_WARM_STARTS } from './warm/no-warm-starts.ts'
import { createDockerWarmStarts } from './warm/warm-starts.ts'

/**
 * Runs services in containers of a Docker engine: no network but loopback, no capabilities, a read-only root, and the
 * grant's limits. A container of our own Node beside each is the gateway to its ports. An engine that sees our folders binds
 * them; to any other (on another machine, say) code is sent, and its gateways are reached through their stdio.
 */
export function createDockerExecutor(
  { clock, log, userIds }: DockerExecutorComponents,
  init: DockerExecutorInit,
): DockerExecutor {
  const { nodeId, runtimeDir, docker } = init
  if (Buffer.byteLength(runtimeDir) > MAX_RUNTIME_DIR_BYTES) {
    throw new InputError(
      `the folder for sockets, ${runtimeDir}, is longer than ${MAX_RUNTIME_DIR_BYTES} bytes: name a shorter one`,
    )
  }
  const engine = createEngine(init.docker, clock)
  const { ask } = engine
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
  const localityNow = async () => localities.of(await features(), images.nodeImage)
  const opening = createRunContainers({
    ...{ engine, clock, gateways, codeVolumes, nodeId, features },
    runtime: docker.runtime,
  })
  const warm =
    docker.through === undefined
      ? createDockerWarmStarts(
          { clock, log, engine, userIds },
          {
            ...{ nodeId, runtimeDir, locality: localityNow, filters: async () => hasSeccomp(await features()) },
            image: (plan) => (plan === undefined ? images.nodeImage() : images.ofPlan(plan)),
            create: (plan, handle, image, hosts) =>
              opening.create(plan, { ...{ image, handle, hosts, labels: {} }, locality: 'local', warm: true }),
            async remove(handle) {
              await removeContainer(engine, handle.name)
              await removeContainer(engine, handle.gateway)
            },
          },
        )
      : NO_WARM_STARTS
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

  const labelsOf = (plan: Plan, locality: EngineLocality, start: string | undefined) =>
    runLabels(plan, { locality, logBytes: logsOf(plan).maxBytes, start })

  function logsOf(plan: Plan): LogLimits {
    return limitsOf('run', init.logs, plan.grant.diskBytes)
  }

  function runOf(
    plan: RunPlan,
    logs: LogLimits,
    began: {
      startedAt: number
      beganAt?: number | undefined
      locality: EngineLocality
      gatewayFirst: boolean
      attached?: AttachedStream
      start?: string | undefined
    },
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
    await removeContainer(engine, handle.gateway)
    if (localities.known !== 'local') await codeVolumes.remove(handle)
    await warm.removeFolder(handle)
    await rm(dirname(handle.socket), { recursive: true, force: true })
  }

  async function lookAtMade(plan: Plan, handle: DockerHandle): Promise<void> {
    if (init.beforeStart === undefined) return
    const inspect = (name: string) => ask((docker) => docker.getContainer(name).inspect())
    const [run, gateway] = await Promise.all([inspect(handle.name), inspect(handle.gateway)])
    init.beforeStart({ plan, handle, run, gateway })
  }

  async function begin(plan: Plan, signal: AbortSignal | undefined): Promise<Run> {
    if (plan.readOnlyMounts !== undefined) throw new RunRefusedError("this run needs the host's sandbox")
    const handle = handleOf(plan.runId)
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 })
    const [image, locality] = await Promise.all([images.ofPlan(plan), localityNow()])
    if (locality === 'local' && plan.codeDir !== undefined) await makeReadable(plan.codeDir)
    signal?.throwIfAborted()
    await remove(handle)
    try {
      const beginAt = clock.now()
      const record = (start: string) => warmRunLabels(labelsOf(plan, locality, start), plan, beginAt)
      const { start, output, hosts, uid } = await warm.begin(plan, { handle, record })
      const cold = { image, handle, locality, hosts, labels: labelsOf(plan, locality, start) }
      const attached = hold(handle, output ?? (await opening.open({ ...plan, uid: uid ?? plan.uid }, cold)))
      if (output === undefined) {
        await lookAtMade(plan, handle)
        signal?.throwIfAborted()
        await ask((docker) => docker.getContainer(handle.name).start())
      }
      const beganAt = output === undefined ? undefined : beginAt
      const began = { startedAt: clock.now(), beganAt, locality, gatewayFirst: true, attached, start }
      return runOf(plan, logsOf(plan), began)
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
      const { adopted, alive } = await adoptRuns({
        ...{ engine, nodeId, warm, beginning, handleOf, now: clock.now },
        runOf: ({ plan, locality, logBytes, start }, began) =>
          runOf(plan, { ...init.logs, maxBytes: logBytes ?? init.logs.maxBytes }, { ...began, locality, start }),
      })
      if (localities.known !== 'local') await codeVolumes.sweep(alive)
      // what an earlier process loaded and a run needs is claimed by then
      images.sweepLater()
      return adopted
    },
    async remove(handle) {
      await remove(journalledHandle(handle))
      images.sweepLater()
    },
    keepWarm: (wanted, options) =>
      warm
        .keep(wanted, options)
        .catch((error) => log.warn('nothing can be kept warm in the engine', { reason: messageOf(error) })),
    async [Symbol.asyncDispose]() {
      await warm[Symbol.asyncDispose]()
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
}
