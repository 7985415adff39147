import type { Readable } from 'node:stream'
import { EngineGoneError } from '../errors.ts'
import { OUTPUTS_GONE, outputParts, type TaskOutputPath, type TaskOutputs } from '../outputs.ts'
import { type DockerHandle, WORK } from './container-options.ts'
import type { Engine } from './engine.ts'
import { isFolder, statOf } from './file-stat.ts'

type Components = { readonly engine: Pick<Engine, 'ask' | 'askMaybe'>; readonly handle: DockerHandle }

/**
 * What a run that has ended left in the file system that its gateway still holds. Nothing of the run runs any more, so what
 * the engine says of a path stays so; it is asked part by part, because it follows links on the way.
 */
export async function taskOutputs(components: Components, paths: readonly string[]): Promise<TaskOutputs> {
  const holder = await holderOf(components)
  if (holder === undefined) return { problem: OUTPUTS_GONE }
  return { paths: tarsOf(components, paths, holder) }
}

/** When the gateway that holds them began; undefined where it is another one, or none: the engine mounts an empty one then. */
async function holderOf({ engine, handle }: Components): Promise<string | undefined> {
  const inspect = (name: string) => engine.askMaybe((docker) => docker.getContainer(name).inspect())
  const [run, gateway] = await Promise.all([inspect(handle.name), inspect(handle.gateway)])
  if (run === undefined || gateway === undefined) return undefined
  const { Running, StartedAt } = gateway.State
  const held = Running && Date.parse(StartedAt) <= Date.parse(run.State.FinishedAt)
  return held && gateway.Mounts.some(({ Destination }) => Destination === WORK) ? StartedAt : undefined
}

async function* tarsOf(
  components: Components,
  paths: readonly string[],
  holder: string,
): AsyncGenerator<TaskOutputPath> {
  for (const path of paths) yield { path, tar: await tarOf(components, outputParts(path)) }
  if ((await holderOf(components)) !== holder)
    throw new EngineGoneError('the Docker engine stopped while the outputs were read')
}

async function tarOf({ engine, handle }: Components, parts: readonly string[]): Promise<Readable | undefined> {
  for (let above = 1; above < parts.length; above++) {
    const folder = await statOf(engine, handle.name, `${WORK}/${parts.slice(0, above).join('/')}`)
    if (!isFolder(folder)) return undefined
  }
  // of the folder itself, what is in it
  const path = parts.length === 0 ? `${WORK}/.` : `${WORK}/${parts.join('/')}`
  const tar = await engine.askMaybe((docker) => docker.getContainer(handle.name).getArchive({ path }))
  return tar as Readable | undefined
}
