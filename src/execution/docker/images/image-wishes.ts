import { posix } from 'node:path'
import { RunRefusedError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

/** What an engine does for every container of an image, because the image's configuration says so. */
export type ImageWishes = {
  /** Paths at which the engine makes a volume on its disk. */
  readonly volumes: readonly string[]
  readonly labels: readonly string[]
  /** Where its programs begin; empty: at the root. */
  readonly workingDir: string
}

/** A service has a place or two for what it writes. */
const MAX_VOLUMES = 16
/** Each part of a path costs a question to the engine. */
const MAX_PARTS = 32
/** What is there in a container is the kernel's, or the engine's: descriptors of the program that starts it among it. */
export const KERNEL = /^\/(proc|sys|dev)(\/|$)/

export async function wishesOf({ ask }: Pick<Engine, 'ask'>, image: string): Promise<ImageWishes> {
  const { Config } = await ask((docker) => docker.getImage(image).inspect())
  const volumes = [...new Set(Object.keys(Config?.Volumes ?? {}).map((path) => posix.resolve('/', path)))]
  if (volumes.length > MAX_VOLUMES) {
    throw new RunRefusedError(`the image has ${volumes.length} volumes; at most ${MAX_VOLUMES} are given`)
  }
  const ofKernel = volumes.find((path) => KERNEL.test(path))
  if (ofKernel !== undefined) {
    throw new RunRefusedError(`the image has a volume at ${quoted(ofKernel)}, which is the kernel's`)
  }
  const deep = volumes.find((path) => path.split('/').length > MAX_PARTS)
  if (deep !== undefined) throw new RunRefusedError(`the image has a volume at ${quoted(deep)}, which is too deep`)
  return { volumes, labels: Object.keys(Config?.Labels ?? {}), workingDir: Config?.WorkingDir ?? '' }
}

/** Engines before runc 1.1.12 let a run begin in a folder of the machine: /proc/self/fd/8, say (CVE-2024-21626). */
export function refuseWorkingDir(dir: string): void {
  if (dir === '') return
  const isPlain = posix.isAbsolute(dir) && posix.normalize(dir) === dir && !/\p{Cc}/u.test(dir)
  if (!isPlain || dir.split('/').length > MAX_PARTS) {
    throw new RunRefusedError(`the image's WorkingDir ${quoted(dir)} is no plain absolute path like /app`)
  }
  if (KERNEL.test(dir)) throw new RunRefusedError(`the image's WorkingDir ${quoted(dir)} is the kernel's`)
}

/** A volume has no limit: there is none in the container but those that we gave it. */
export async function refuseVolumes(
  { ask }: Pick<Engine, 'ask'>,
  container: string,
  given: readonly (string | undefined)[],
): Promise<void> {
  const { Mounts } = await ask((docker) => docker.getContainer(container).inspect())
  const made = Mounts.find(({ Type, Name }) => Type === 'volume' && !given.includes(Name))
  if (made === undefined) return
  throw new RunRefusedError(`the engine makes a volume at ${quoted(made.Destination)} for the image`)
}

export function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 100))
}
