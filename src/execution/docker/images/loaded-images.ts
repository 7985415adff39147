import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { EngineGoneError, RunRefusedError } from '../../errors.ts'
import { type Engine, reasonOf } from '../engine.ts'
import { type TarEntry, tarOf } from './image-tar.ts'
import type { UnusedImages } from './unused-images.ts'

/** Some gigabytes to an engine whose disk does other things. */
const LOAD_MS = 30 * 60_000
/** The answer to a load is a line or two. */
const MAX_ANSWER_CHARS = 64 * 1024
/** What the manifest says that an engine has to know. The rest of it was checked when it was fetched. */
const manifestSchema = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
})

/** Images whose content the node has fetched itself: it hands them to the engine, which downloads nothing. */
export interface LoadedImages {
  /**
   * The engine's id of the image in this folder (`manifest`, `blobs/`): the digest of its configuration, which its manifest
   * names. Loads it where the engine does not have it, and claims it for this run. Throws a RunRefusedError
   * where the engine does not take it.
   */
  load(dir: string, runId: string): Promise<string>
}

export function createLoadedImages(
  { ask, askMaybe }: Pick<Engine, 'ask' | 'askMaybe'>,
  unused: UnusedImages,
): LoadedImages {
  return {
    async load(dir, runId) {
      const { config, layers } = manifestSchema.parse(JSON.parse(await readFile(join(dir, 'manifest'), 'utf8')))
      const id = config.digest
      if (await unused.claim(id, runId)) return id
      await unused.sweep()
      const tag = unused.tagOf(id)
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
