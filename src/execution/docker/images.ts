import { joinWords } from '../../base/format.ts'
import { NODE_IMAGE } from '../constants.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import type { Plan } from '../types.ts'
import { type Engine, reasonOf } from './engine.ts'
import { ensureNodeImage, followProgress } from './node-image.ts'

/** For a registry that is slow. */
const PULL_MS = 30 * 60_000

export type ImagesInit = {
  readonly toolchains: Readonly<Record<string, { readonly image: string }>>
  /** for a service of this author */
  readonly registries: (author: string) => readonly string[]
}

/** Finds the image of a run and answers with its id: from then on no tag can lead elsewhere. */
export function createImages(engine: Engine, { toolchains, registries }: ImagesInit) {
  const { ask, askMaybe } = engine
  let node: Promise<string> | undefined

  /** Our own Node's image; made when the engine has none. */
  function nodeImage(): Promise<string> {
    node ??= ensureNodeImage(engine)
    node.catch(() => {
      node = undefined
    })
    // It may have been removed since.
    return node.then(async (id) => {
      if ((await askMaybe((docker) => docker.getImage(id).inspect())) !== undefined) return id
      node = undefined
      return ensureNodeImage(engine)
    })
  }

  async function byDigest({ digest, ref }: NonNullable<Plan['image']>, registries: readonly string[]): Promise<string> {
    const found = await present(digest)
    if (found !== undefined) return found
    const path = ref === undefined ? undefined : pathOf(ref)
    if (path === undefined)
      throw new RunRefusedError(`the engine has no image ${digest}, and the service names no reference to pull`)
    if (registries.length === 0) {
      throw new RunRefusedError(
        `the engine has no image ${digest}, and REGISTRIES.DOCKER names no registry to pull it from`,
      )
    }
    const failures = await pullFirst(registries.map((origin) => `${hostOf(origin)}/${path}@${digest}`))
    const pulled = await present(digest)
    if (pulled !== undefined) return pulled
    throw new RunRefusedError(`image ${digest} could not be pulled: ${joinWords(failures)}`)
  }

  /** By the digest of its manifest, or by its id where it was imported here. */
  async function present(digest: string): Promise<string | undefined> {
    const images = await ask((docker) => docker.listImages())
    return images.find(
      ({ Id, RepoDigests }) => Id === digest || RepoDigests?.some((name) => name.endsWith(`@${digest}`)),
    )?.Id
  }

  async function byName(name: string, registries: readonly string[]): Promise<string> {
    const found = await askMaybe((docker) => docker.getImage(name).inspect())
    if (found !== undefined) return found.Id
    const mirrored = registries.map((origin) => `${hostOf(origin)}/${pathOf(name)}${tagOf(name)}`)
    // the operator's table names it: it may be pulled as it is written
    const failures: string[] = []
    for (const reference of [...mirrored, name]) {
      const failure = await pull(reference)
      if (failure === undefined) return (await ask((docker) => docker.getImage(reference).inspect())).Id
      failures.push(failure)
    }
    throw new RunRefusedError(`the engine has no image "${name}", and it could not be pulled: ${joinWords(failures)}`)
  }

  async function pullFirst(references: readonly string[]): Promise<string[]> {
    const failures: string[] = []
    for (const reference of references) {
      const failure = await pull(reference)
      if (failure === undefined) return []
      failures.push(failure)
    }
    return failures
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
    async ofPlan(plan: Plan): Promise<string> {
      if (plan.image !== undefined) return byDigest(plan.image, registries(plan.author))
      const known = plan.toolchain.filter((name) => toolchains[name] !== undefined)
      const [name] = known
      if (name === undefined) {
        throw new RunRefusedError(`no image is known for the toolchain ${plan.toolchain.join(', ') || '(none named)'}`)
      }
      const image = toolchains[name]?.image as string
      return image === NODE_IMAGE ? nodeImage() : byName(image, registries(plan.author))
    },
  }
}

export type Images = ReturnType<typeof createImages>

/** "docker.io/library/nginx:1.27@sha256:..." -> "library/nginx" */
export function pathOf(ref: string): string {
  const name = ref.replace(/^[a-z]+:\/\//, '').split('@')[0] ?? ''
  const parts = name.split('/')
  const first = parts[0] ?? ''
  const host = parts.length > 1 && (first.includes('.') || first.includes(':') || first === 'localhost')
  const path = (host ? parts.slice(1) : parts).join('/').replace(/:[^/]*$/, '')
  return path.includes('/') || (host && first !== 'docker.io') ? path : `library/${path}`
}

function tagOf(name: string): string {
  const last = name.split('/').at(-1) ?? ''
  if (last.includes('@')) return last.slice(last.indexOf('@'))
  return last.includes(':') ? last.slice(last.indexOf(':')) : ':latest'
}

function hostOf(origin: string): string {
  return origin.replace(/^[a-z]+:\/\//, '').replace(/\/+$/, '')
}
