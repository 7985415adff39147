import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Plan, ReadOnlyMount } from '../types.ts'
import { type CodePlan, hasCode, isBuild } from './build/build.ts'
import { imageDisk, memoryDisk } from './build/build-disk.ts'
import type { CodeVolumes } from './code-volumes.ts'
import { beginsWhereImageSays, CODE, type DockerHandle, runOptions, WORK } from './container-options.ts'
import { createContainer, type Engine, statusOf } from './engine.ts'
import type { EngineLocality } from './engine-locality.ts'
import { writeShownFiles } from './folders.ts'
import type { Gateways } from './gateways.ts'
import { refuseHostileFiles } from './images/image-files.ts'
import { refuseVolumes, refuseWorkingDir, wishesOf } from './images/image-wishes.ts'
import { type EngineInfo, hasSeccomp } from './machine.ts'
import { attachOutput } from './output/log-copier.ts'

export type RunContainersComponents = {
  readonly engine: Engine
  readonly clock: Clock
  readonly gateways: Gateways
  readonly codeVolumes: CodeVolumes
  readonly nodeId: string
  readonly runtime: string | undefined
  features(): Promise<EngineInfo>
}

export type OpenInit = {
  readonly image: string
  readonly handle: DockerHandle
  readonly locality: EngineLocality
  /** what is found with the run later; its container's alone where nothing is said */
  readonly labels: Readonly<Record<string, string>>
  /** Its gateway was there before it, and this is the hosts file that says its names. */
  readonly hosts?: ReadOnlyMount | undefined
}

export type CreateInit = OpenInit & {
  readonly volume?: string | undefined
  /** of a build: see `ContainerInput` */
  readonly disk?: string | undefined
  readonly warm?: boolean
}

/** Makes what a plan needs in its engine, and starts nothing of the plan's. */
export function createRunContainers(components: RunContainersComponents) {
  const { engine, clock, gateways, codeVolumes, nodeId, runtime, features } = components

  async function create(plan: Plan, init: CreateInit): Promise<void> {
    const { handle, image, locality, volume, disk, hosts, warm } = init
    const info = await features()
    const wishes = await wishesOf(engine, image)
    const workingDir = beginsWhereImageSays(plan) ? wishes.workingDir : ''
    refuseWorkingDir(workingDir)
    // A MemorySwap that it cannot set is an error in some engines, a warning in others.
    const memory = { swap: info.SwapLimit === true || info.CgroupVersion === '2' }
    const work = plan.outputs === undefined ? undefined : await codeVolumes.workOf(handle)
    const files = locality === 'local' ? await writeShownFiles(dirname(handle.socket), plan) : undefined
    const shown = [...(files?.shown ?? []), ...(hosts === undefined ? [] : [hosts])]
    const options = runOptions({
      ...{ plan, handle, nodeId, image, wishes, runtime, volume, disk, work, memory, shown, warm },
      ...{ seccomp: hasSeccomp(info), etcDir: files?.etcDir },
    })
    await createContainer(engine, { ...options, Labels: { ...options.Labels, ...init.labels } })
    await refuseVolumes(engine, handle.name, [volume, work])
    if (plan.image !== undefined) await refuseHostileFiles(engine, handle.name, { ...wishes, workingDir })
  }

  /** It has not begun: then its output is complete. */
  async function createAttached(plan: Plan, init: CreateInit): Promise<Readable> {
    await create(plan, init)
    return attachOutput(engine, init.handle.name)
  }

  /** Its gateway runs, and its container is made: one beside the other, for each takes the engine its time. */
  async function openRun(plan: Plan, init: OpenInit): Promise<Readable> {
    const { handle, image, locality } = init
    if (init.hosts !== undefined) return createAttached(plan, init)
    const volume = locality === 'remote' && hasCode(plan) ? await codeVolumes.send(plan, handle, image) : undefined
    const disk = plan.outputs && ({ driver: memoryDisk(plan, '0700').driver, at: WORK } as const)
    const target = { handle, plan, locality, gatewayFirst: true, lifetime: plan.lifetime, disk }
    const made = Promise.withResolvers<Readable>()
    await gateways.open(target, async () => made.resolve(await createAttached(plan, { ...init, volume })))
    return made.promise
  }

  async function openBuild(plan: CodePlan, init: OpenInit): Promise<Readable> {
    const { handle, image, locality } = init
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
    return createAttached(plan, { ...init, disk: await codeVolumes.sendBuild(plan, handle, image) })
  }

  return {
    create,
    /** What it writes, from its first byte on. */
    open(plan: Plan, init: OpenInit): Promise<Readable> {
      // a remote engine does not see our passwd file
      const user = init.locality === 'local' ? plan : { ...plan, uid: undefined }
      return isBuild(user) ? openBuild(user, init) : openRun(user, init)
    },
  }
}
