import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import { type Engine, reasonOf } from './engine.ts'
import { type TarEntry, tarOf } from './image-tar.ts'

/** Some gigabytes to an engine whose disk does other things. */
const LOAD_MS = 30 * 60_000
/** The answer to a load is a line or two. */
const MAX_ANSWER_CHARS = 64 * 1024
/** A service that is started again soon finds its image, if it is one of the last few that were used. */
const KEPT_MS = 10 * 60_000
const KEPT_IMAGES = 4

/** What the manifest says that an engine has to know. The rest of it was checked when it was fetched. */
const manifestSchema = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
})

/** Images whose content the node has fetched itself: it hands them to the engine, which downloads nothing. */
export interface LoadedImages {
  /**
   * The engine's id of the image in this folder (`manifest`, `blobs/`): the digest of its configuration, which its manifest
   * names. Loads it where the engine does not have it, and keeps it there for this run until `begun`. Throws a RunRefusedError
   * where the engine does not take it.
   */
  load(dir: string, runId: string): Promise<string>
  /** The run has its container, or gets none. */
  begun(runId: string): void
}

export function createLoadedImages(engine: Engine, { clock, nodeId }: { clock: Clock; nodeId: string }): LoadedImages {
  const { ask, askMaybe } = engine
  /** A repository's name takes no capital letters. It marks an image as this node's. */
  const repository = `thundercloud-image-${createHash('sha256').update(nodeId).digest('hex').slice(0, 12)}`
  /** Images of runs that have no container yet: run id -> image id. */
  const beginning = new Map<string, string>()
  /** When each of the last few was begun with, by its id. */
  const recent = new LruMap<string, number>(KEPT_IMAGES)

  /** Images that this node loaded and no container uses: their bytes are in the code store, too. */
  async function removeUnused(): Promise<void> {
    const filters = JSON.stringify({ reference: [repository] })
    const images = await ask((docker) => docker.listImages({ filters }))
    const used = new Set((await ask((docker) => docker.listContainers({ all: true }))).map(({ ImageID }) => ImageID))
    const now = clock.monotonic()
    const lately = [...recent.entries()].filter(([, at]) => now - at < KEPT_MS).map(([id]) => id)
    const kept = new Set([...beginning.values(), ...lately])
    for (const { Id, RepoTags } of images) {
      if (used.has(Id) || kept.has(Id)) continue
      // by its name: another node's name of the same image stays
      for (const name of RepoTags ?? []) {
        if (name.startsWith(`${repository}:`)) await askMaybe((docker) => docker.getImage(name).remove())
      }
    }
  }

  return {
    begun(runId) {
      const id = beginning.get(runId)
      if (id !== undefined) recent.set(id, clock.monotonic())
      beginning.delete(runId)
    },
    async load(dir, runId) {
      const { config, layers } = manifestSchema.parse(JSON.parse(await readFile(join(dir, 'manifest'), 'utf8')))
      const id = config.digest
      beginning.set(runId, id)
      if ((await askMaybe((docker) => docker.getImage(id).inspect())) !== undefined) return id
      await removeUnused()
      const tag = `${repository}:${id.slice('sha256:'.length, 'sha256:'.length + 40)}`
      const entries = archiveEntries(dir, { config: id, layers: layers.map(({ digest }) => digest), tag })
      const problem = await ask((docker) => docker.loadImage(Readable.from(tarOf(entries)), { quiet: true }), LOAD_MS)
        .then((answer) => ask(() => lastError(answer), LOAD_MS))
        .catch((error) => {
          if (error instanceof EngineGoneError) throw error
          return reasonOf(error)
        })
      if (problem !== undefined) {
        throw new RunRefusedError(`the engine does not take the image: ${problem.slice(0, 300)}`)
      }
      if ((await askMaybe((docker) => docker.getImage(id).inspect())) !== undefined) return id
      throw new RunRefusedError(
        'the engine took the image and does not have it; its manifest names another configuration',
      )
    },
  }
}

/** The engine answers 200 before it has read the image: what went wrong is a line of its answer. */
async function lastError(answer: NodeJS.ReadableStream): Promise<string | undefined> {
  let said = ''
  for await (const piece of answer) if (said.length < MAX_ANSWER_CHARS) said += String(piece)
  return /"error":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1]
}

/** A docker-archive, as `docker save` writes it: layers may be compressed. */
function* archiveEntries(
  dir: string,
  { config, layers, tag }: { config: string; layers: readonly string[]; tag: string },
): Generator<TarEntry> {
  const hexOf = (digest: string) => digest.slice('sha256:'.length)
  const layerPath = (digest: string) => `${hexOf(digest)}/layer.tar`
  const blob = (digest: string) => join(dir, 'blobs', hexOf(digest))
  const index = [{ Config: `${hexOf(config)}.json`, RepoTags: [tag], Layers: layers.map(layerPath) }]
  yield { path: 'manifest.json', text: JSON.stringify(index), mode: 0o644 }
  yield { path: `${hexOf(config)}.json`, file: blob(config), mode: 0o644 }
  for (const digest of new Set(layers)) {
    yield { path: hexOf(digest), folder: true, mode: 0o755 }
    yield { path: layerPath(digest), file: blob(digest), mode: 0o644 }
  }
}
