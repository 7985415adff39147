import { posix } from 'node:path'
import { RunRefusedError } from '../errors.ts'
import type { Engine } from './engine.ts'

/** What an engine does for every container of an image, because the image's configuration says so. */
export type ImageWishes = {
  /** Paths at which the engine makes a volume on its disk. */
  readonly volumes: readonly string[]
  readonly labels: readonly string[]
}

/** A service has a place or two for what it writes. */
const MAX_VOLUMES = 16

export async function wishesOf({ ask }: Pick<Engine, 'ask'>, image: string): Promise<ImageWishes> {
  const { Config } = await ask((docker) => docker.getImage(image).inspect())
  const volumes = [...new Set(Object.keys(Config?.Volumes ?? {}).map((path) => posix.resolve('/', path)))]
  if (volumes.length > MAX_VOLUMES) {
    throw new RunRefusedError(`the image has ${volumes.length} volumes; at most ${MAX_VOLUMES} are given`)
  }
  const ofKernel = volumes.find((path) => /^\/(proc|sys|dev)(\/|$)/.test(path))
  if (ofKernel !== undefined) {
    throw new RunRefusedError(
      `the image has a volume at ${JSON.stringify(ofKernel.slice(0, 100))}, which is the kernel's`,
    )
  }
  return { volumes, labels: Object.keys(Config?.Labels ?? {}) }
}

/** A volume has no limit: there is none in the container but the one with its code. */
export async function refuseVolumes(
  { ask }: Pick<Engine, 'ask'>,
  container: string,
  code: string | undefined,
): Promise<void> {
  const { Mounts } = await ask((docker) => docker.getContainer(container).inspect())
  const made = Mounts.find(({ Type, Name }) => Type === 'volume' && Name !== code)
  if (made === undefined) return
  throw new RunRefusedError(
    `the engine makes a volume at ${JSON.stringify(made.Destination.slice(0, 100))} for the image`,
  )
}
