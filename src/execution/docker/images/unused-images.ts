import { createHash } from 'node:crypto'
import type { Clock, Timer } from '../../../base/clock.ts'
import { LruMap } from '../../../base/lru-map.ts'
import { createWorkQueue } from '../../../base/work-queue.ts'
import { type Engine, statusOf } from '../engine.ts'

/** A service that is started again soon finds its image, if it is one of the last few that were used. */
const KEPT_MS = 10 * 60_000
const KEPT_IMAGES = 4
/** What every node's repository begins with. */
const REPOSITORY = 'thundercloud-image-'

/** Which of the images that this node loaded the engine still needs. Their bytes are in the code store, too. */
export interface UnusedImages extends Disposable {
  /** The name that marks an image as this node's, also for the process after this one. */
  tagOf(id: string): string
  /**
   * Is the image in the engine? From now until `begun` it stays there for this run. One that only other nodes have marked
   * is marked as this one's, too: they may remove theirs.
   */
  claim(id: string, runId: string): Promise<boolean>
  /** The run has its container, or gets none. */
  begun(runId: string): void
  /** Removes those that no container uses, but for the last few. */
  sweep(): Promise<void>
  /** Sweeps when those that were used now are forgotten. */
  sweepLater(): void
}

export function createUnusedImages(
  { ask, askMaybe }: Pick<Engine, 'ask' | 'askMaybe'>,
  { clock, nodeId, prefix = REPOSITORY }: { clock: Clock; nodeId: string; prefix?: string | undefined },
): UnusedImages {
  // a repository's name takes no capital letters
  const repository = `${prefix}${createHash('sha256').update(nodeId).digest('hex').slice(0, 12)}`
  /** Images of runs that have no container yet: run id -> image id. */
  const beginning = new Map<string, string>()
  /** When each of the last few was begun with, by its id. */
  const recent = new LruMap<string, number>(KEPT_IMAGES)
  /** An image is not removed between a claim's question and its answer. */
  const turns = createWorkQueue({ name: 'images', concurrency: 1, max: Number.POSITIVE_INFINITY })
  let timer: Timer | undefined

  const isRecent = (id: string) =>
    [...recent.entries()].some(([key, at]) => key === id && clock.monotonic() - at < KEPT_MS)
  const isKept = (id: string) => isRecent(id) || [...beginning.values()].includes(id)

  async function sweep(): Promise<void> {
    const filters = JSON.stringify({ reference: [repository] })
    const images = await ask((docker) => docker.listImages({ filters }))
    const used = new Set((await ask((docker) => docker.listContainers({ all: true }))).map(({ ImageID }) => ImageID))
    for (const { Id, RepoTags } of images) {
      // by its name: another node's name of the same image stays
      for (const name of RepoTags ?? []) {
        if (name.startsWith(`${repository}:`) && !used.has(Id) && !isKept(Id)) await remove(name)
      }
    }
    if (images.some(({ Id }) => isRecent(Id))) sweepLater()
  }

  async function remove(name: string): Promise<void> {
    try {
      await askMaybe((docker) => docker.getImage(name).remove())
    } catch (error) {
      // 409: a container was made of it just now
      if (statusOf(error) !== 409) throw error
    }
  }

  async function claim(id: string): Promise<boolean> {
    const found = await askMaybe((docker) => docker.getImage(id).inspect())
    if (found === undefined) return false
    const names = found.RepoTags ?? []
    if (!names.includes(tagOf(id)) && names.some((name) => name.startsWith(REPOSITORY))) {
      const tag = tagOf(id).slice(repository.length + 1)
      await ask((docker) => docker.getImage(id).tag({ repo: repository, tag }))
    }
    return true
  }

  function tagOf(id: string): string {
    return `${repository}:${id.slice('sha256:'.length, 'sha256:'.length + 40)}`
  }

  function sweepLater(): void {
    timer ??= clock.after(KEPT_MS, () => {
      timer = undefined
      // an engine that does not answer now is swept when it is back
      turns.add(sweep).catch(() => {})
    })
  }

  return {
    tagOf,
    claim(id, runId) {
      beginning.set(runId, id)
      return turns.add(() => claim(id))
    },
    begun(runId) {
      const id = beginning.get(runId)
      if (id !== undefined) recent.set(id, clock.monotonic())
      beginning.delete(runId)
    },
    sweep: () => turns.add(sweep),
    sweepLater,
    [Symbol.dispose]: () => timer?.cancel(),
  }
}
