import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type Clock, sleep } from '../../base/clock.ts'
import { codeTooLargeText, DISK_FULL } from '../build-limit.ts'
import { LABEL, NOBODY } from '../constants.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import type { Plan } from '../types.ts'
import { unpackBuilt } from './build/unpack.ts'
import { CODE, codeLoaderOptions, type DockerHandle, labels, nodeFilter, WORK } from './container-options.ts'
import { createContainer, type Engine, reasonOf, removeContainer, statusOf } from './engine.ts'
import { entriesOf, type TarEntry, tarOf } from './images/image-tar.ts'

/** For an engine that takes, or gives, code over a slow network. */
const TRANSFER_MS = 30 * 60_000
/** A volume is in use until the engine has removed its container. */
const BUSY_MS = 200
const BUSY_TRIES = 25

/** Code in volumes of an engine. */
export type CodeVolumes = {
  /** For an engine that does not see our folders: one volume for each run. Returns its name. */
  send(plan: CodePlan, handle: DockerHandle, image: string): Promise<string>
  /** Puts the code of a build into the file system that its gateway holds. Returns where the engine has that. */
  sendBuild(plan: CodePlan, handle: DockerHandle, image: string): Promise<string>
  /** The volume of /work, which the gateway of a task holds. */
  workOf(handle: DockerHandle): Promise<string>
  /** Puts what a build has left there in the place of what was sent. */
  fetchBuilt(plan: { readonly codeDir: string; readonly maxBytes: number }, handle: DockerHandle): Promise<void>
  remove(handle: DockerHandle): Promise<void>
  /** Removes the volumes of runs that are not among these. */
  sweep(alive: ReadonlySet<string>): Promise<void>
}

type CodePlan = Plan & { readonly codeDir: string }

type FillInit = {
  readonly plan: CodePlan
  readonly handle: DockerHandle
  readonly image: string
  readonly volume: string
}

export function createCodeVolumes({
  engine,
  clock,
  nodeId,
}: {
  engine: Engine
  clock: Clock
  nodeId: string
}): CodeVolumes {
  const { ask, askMaybe } = engine
  const loaderOf = ({ name }: DockerHandle) => `${name}-load`
  const volumeOf = ({ name }: DockerHandle) => `${name}-code`

  async function removeVolume(name: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await askMaybe((docker) => docker.getVolume(name).remove())
        return
      } catch (error) {
        if (statusOf(error) !== 409 || attempt >= BUSY_TRIES) throw error
        await sleep(clock, BUSY_MS)
      }
    }
  }

  /** The volume that a gateway holds there. */
  async function heldAt(path: string, handle: DockerHandle): Promise<{ name: string; path: string }> {
    const { Mounts } = await ask((docker) => docker.getContainer(handle.gateway).inspect())
    const found = Mounts.find(({ Destination }) => Destination === path)
    if (found?.Name === undefined) throw new EngineGoneError('the Docker engine has lost a volume that it made')
    return { name: found.Name, path: found.Source }
  }

  async function fill(
    { plan, handle, image, volume }: FillInit,
    entries: AsyncIterable<TarEntry> = entriesOf(plan.codeDir, 'code'),
  ): Promise<void> {
    const name = loaderOf(handle)
    await createContainer(engine, codeLoaderOptions({ plan, name, nodeId, image, volume }))
    try {
      const tar = Readable.from(tarOf(entries, plan.uid ?? NOBODY))
      await ask((docker) => docker.getContainer(name).putArchive(tar, { path: '/' }), TRANSFER_MS)
    } finally {
      await removeContainer(engine, name)
    }
  }

  return {
    async send(plan, handle, image) {
      const volume = volumeOf(handle)
      await ask((docker) => docker.createVolume({ Name: volume, Labels: labels(nodeId, plan, 'load') }))
      await fill({ plan, handle, image, volume })
      return volume
    },
    async sendBuild(plan, handle, image) {
      const { name, path } = await heldAt(CODE, handle)
      try {
        await fill({ plan, handle, image, volume: name }, buildEntries(plan.codeDir))
      } catch (error) {
        if (statusOf(error) === undefined || !DISK_FULL.test(reasonOf(error))) throw error
        throw new RunRefusedError(codeTooLargeText(plan.grant.diskBytes))
      }
      return path
    },
    workOf: async (handle) => (await heldAt(WORK, handle)).name,
    async fetchBuilt({ codeDir, maxBytes }, { name }) {
      const archive = await ask((docker) => docker.getContainer(name).getArchive({ path: '/code/.' }))
      const fresh = `${codeDir}.built`
      await rm(fresh, { recursive: true, force: true })
      try {
        await ask(() => unpackBuilt(archive, fresh, maxBytes), TRANSFER_MS)
        await rm(codeDir, { recursive: true, force: true })
        await rename(fresh, codeDir)
      } finally {
        await rm(fresh, { recursive: true, force: true })
      }
    },
    async remove(handle) {
      await removeContainer(engine, loaderOf(handle))
      await removeVolume(volumeOf(handle))
    },
    async sweep(alive) {
      const { Volumes } = await ask((docker) => docker.listVolumes({ filters: nodeFilter(nodeId) }))
      const left = (Volumes ?? []).filter(({ Labels }) => !alive.has(Labels?.[LABEL.run] ?? ''))
      for (const { Name } of left) await removeVolume(Name)
    },
  }
}

/** All that a build writes lies side by side in its disk, each where `buildMounts` shows it. */
async function* buildEntries(codeDir: string): AsyncGenerator<TarEntry> {
  yield { path: 'code', folder: true, mode: 0o711 }
  for (const name of ['work', 'tmp']) yield { path: `code/${name}`, folder: true, mode: 0o700 }
  yield* entriesOf(codeDir, 'code/code')
}
