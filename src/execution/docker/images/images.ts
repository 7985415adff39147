import type { Clock } from '../../../base/clock.ts'
import { joinWords } from '../../../base/format.ts'
import { parseImageRef } from '../../../base/image-ref.ts'
import { NODE_IMAGE } from '../../constants.ts'
import { EngineGoneError, RunRefusedError } from '../../errors.ts'
import type { Plan } from '../../types.ts'
import { type Engine, reasonOf } from '../engine.ts'
import { createLoadedImages } from './loaded-images.ts'
import { ensureNodeImage, followProgress } from './node-image.ts'
import { createUnusedImages } from './unused-images.ts'

/** For a registry that is slow. */
const PULL_MS = 30 * 60_000

export type ImagesInit = {
  readonly nodeId: string
  /** the node's own address */
  readonly ownAddress: string
  readonly toolchains: Readonly<Record<string, { readonly image: string }>>
  /** where the images of toolchains come from, for a service of this author */
  readonly registries: (author: string) => readonly string[]
  /** an image of our own Node that the engine has */
  readonly nodeImage?: string | undefined
  /** what the names of loaded images begin with */
  readonly imageRepository?: string | undefined
}

/** Finds the image of a run and answers with its id: from then on no tag can lead elsewhere. */
export function createImages(components: { engine: Engine; clock: Clock }, init: ImagesInit) {
  const { engine } = components
  const { ask, askMaybe } = engine
  const { toolchains, registries } = init
  const unused = createUnusedImages(engine, {
    ...{ clock: components.clock, nodeId: init.nodeId },
    prefix: init.imageRepository,
  })
  const loaded = createLoadedImages(engine, unused)
  let node: Promise<string> | undefined

  /** Our own Node's image; made when the engine has none. */
  function nodeImage(): Promise<string> {
    node ??= ensure()
    node.catch(() => {
      node = undefined
    })
    // It may have been removed since.
    return node.then(async (id) => {
      if ((await askMaybe((docker) => docker.getImage(id).inspect())) !== undefined) return id
      node = undefined
      return ensure()
    })
  }

  async function ensure(): Promise<string> {
    const { nodeImage: given } = init
    return given === undefined ? ensureNodeImage(engine) : (await ask((docker) => docker.getImage(given).inspect())).Id
  }

  async function byDigest(
    { digest, dir }: NonNullable<Plan['image']>,
    { runId, author }: Pick<Plan, 'runId' | 'author'>,
  ): Promise<string> {
    const found = await present(digest, author)
    if (found !== undefined) return found
    if (dir === undefined) throw new RunRefusedError(`the engine no longer has the image ${digest}`)
    return loaded.load(dir, runId)
  }

  /**
   * What the operator has put there, by the digest of its manifest or by its id. It is for own services alone: a stranger who
   * knows the digest of a private image would run it and read it.
   */
  async function present(digest: string, author: string): Promise<string | undefined> {
    if (author !== init.ownAddress) return undefined
    const images = await ask((docker) => docker.listImages())
    return images.find(
      ({ Id, RepoDigests }) => Id === digest || RepoDigests?.some((name) => name.endsWith(`@${digest}`)),
    )?.Id
  }

  async function byName(name: string, registries: readonly string[]): Promise<string> {
    const found = await askMaybe((docker) => docker.getImage(name).inspect())
    if (found !== undefined) return found.Id
    const mirrored = registries.map((origin) => `${hostOf(origin)}/${parseImageRef(name).repository}${tagOf(name)}`)
    // the operator's table names it: it may be pulled as it is written
    const failures: string[] = []
    for (const reference of [...mirrored, name]) {
      const failure = await pull(reference)
      if (failure === undefined) return (await ask((docker) => docker.getImage(reference).inspect())).Id
      failures.push(failure)
    }
    throw new RunRefusedError(`the engine has no image "${name}", and it could not be pulled: ${joinWords(failures)}`)
  }

  async function pull(reference: string): Promise<string | undefined> {
    try {
      await followProgress(engine, await ask((docker) => docker.pull(reference)), PULL_MS)
      return undefined
    } catch (error) {
      if (error instanceof EngineGoneError) throw error
      return `${reference}: ${reasonOf(error).slice(0, 200)}`
    }
  }

  return {
    nodeImage,
    begun: unused.begun,
    /** A container of this node is gone, or was found: an image may be used no more. */
    sweepLater: unused.sweepLater,
    has: async (digest: string, author: string) => (await present(digest, author)) !== undefined,
    async ofPlan(plan: Plan): Promise<string> {
      if (plan.image !== undefined) return byDigest(plan.image, plan)
      if (plan.imageId !== undefined) return plan.imageId
      const known = plan.toolchain.filter((name) => toolchains[name] !== undefined)
      const [name] = known
      if (name === undefined) {
        throw new RunRefusedError(`no image is known for the toolchain ${plan.toolchain.join(', ') || '(none named)'}`)
      }
      const image = toolchains[name]?.image as string
      return image === NODE_IMAGE ? nodeImage() : byName(image, registries(plan.author))
    },
    [Symbol.dispose]: () => unused[Symbol.dispose](),
  }
}

export type Images = ReturnType<typeof createImages>

function tagOf(name: string): string {
  const last = name.split('/').at(-1) ?? ''
  if (last.includes('@')) return last.slice(last.indexOf('@'))
  return last.includes(':') ? last.slice(last.indexOf(':')) : ':latest'
}

function hostOf(origin: string): string {
  return origin.replace(/^[a-z]+:\/\//, '').replace(/\/+$/, '')
}
