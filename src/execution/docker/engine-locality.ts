import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { isLoopback } from './address.ts'
import { probeOptions } from './container-options.ts'
import { createContainer, type Engine, reasonOf, removeContainer, statusOf } from './engine.ts'
import { nonce } from './nonce.ts'
import type { DockerConfig } from './types.ts'

/** Where an engine's containers find our folders: `local`, the engine binds them; `remote`, everything is sent to it. */
export type EngineLocality = 'local' | 'remote'

/** Engines have several messages, and statuses, for it. */
const NO_FOLDER = /does not exist|no such file/i
const FILE = 'nonce'
const PREFIX = 'probe-'

type EngineLocalityInput = {
  readonly engine: Engine
  readonly clock: Clock
  readonly config: DockerConfig
  readonly nodeId: string
  readonly runtimeDir: string
}

export type EngineLocalities = {
  /** Asked once of each engine. `image`: one of our own, for a stranger's might lead the question elsewhere. */
  of(info: { ID: string; KernelVersion: string }, image: () => Promise<string>): Promise<EngineLocality>
  /** Undefined until `of` has answered. */
  readonly known: EngineLocality | undefined
}

/**
 * A socket or a loopback port may lead anywhere (a virtual machine, another container's host, a tunnel), so the engine
 * is shown a file and asked what it says. Sockets in a folder work only where both are of one kernel.
 */
export function createEngineLocalities(input: EngineLocalityInput): EngineLocalities {
  const { config } = input
  let last: { id: string; locality: Promise<EngineLocality> } | undefined
  let known: EngineLocality | undefined = isLoopback(config) ? undefined : 'remote'

  return {
    get known() {
      return known
    },
    async of({ ID, KernelVersion }, image) {
      if (!isLoopback(config)) return 'remote'
      if (last?.id !== ID) {
        const oneKernel = process.platform === 'linux' && KernelVersion === release()
        last = { id: ID, locality: oneKernel ? image().then((id) => probe(input, id)) : Promise.resolve('remote') }
      }
      const asked = last
      try {
        known = await asked.locality
      } catch (error) {
        if (last === asked) last = undefined
        throw error
      }
      return known
    },
  }
}

/** The container is never started: the engine reads through its mounts. */
async function probe(
  { engine, clock, nodeId, runtimeDir }: EngineLocalityInput,
  image: string,
): Promise<EngineLocality> {
  const text = nonce(clock, runtimeDir).toString('hex')
  const dir = join(runtimeDir, `${PREFIX}${text}`)
  const name = `thundercloud-probe-${text}`
  // A node that was killed may have left some.
  const left = (await readdir(runtimeDir).catch(() => [])).filter((entry) => entry.startsWith(PREFIX))
  await Promise.all(left.map((entry) => rm(join(runtimeDir, entry), { recursive: true, force: true })))
  await mkdir(dir, { recursive: true, mode: 0o700 })
  try {
    await writeFile(join(dir, FILE), text)
    if (!(await created(createContainer(engine, probeOptions({ name, nodeId, image, dir }))))) return 'remote'
    const archive = await engine.askMaybe((docker) => docker.getContainer(name).getArchive({ path: `/probe/${FILE}` }))
    let seen = ''
    for await (const part of archive ?? []) seen += part.toString('latin1')
    return seen.includes(text) ? 'local' : 'remote'
  } finally {
    await Promise.all([rm(dir, { recursive: true, force: true }), removeContainer(engine, name)])
  }
}

/** False where the engine knows no such folder. */
async function created(container: Promise<void>): Promise<boolean> {
  try {
    await container
    return true
  } catch (error) {
    const absent = statusOf(error) !== undefined && NO_FOLDER.test(reasonOf(error))
    if (absent) return false
    throw error
  }
}
