import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { type Engine, reasonOf } from '../docker/engine.ts'
import { ensureNodeImage, followProgress, nodeImageTag } from '../docker/images/node-image.ts'
import { EngineGoneError } from '../errors.ts'

/** Some 60 MB to a registry that is slow. */
const PUSH_MS = 10 * 60_000
/** A registry may be emptied: it is asked again from time to time. What it has is not sent again. */
const FRESH_MS = 10 * 60_000

/** The image of this very Node in the registry, by the digest of its manifest. Launchers, gateways and runs of node.js are made of it. */
export type LauncherImage = {
  /** for the machines of the swarm */
  inRegistry(): Promise<string>
  /** the id, for the engine of the node */
  inEngine(): Promise<string>
}

export function createLauncherImage(
  { engine, clock }: { engine: Engine; clock: Clock },
  { registry }: { registry: string },
): LauncherImage {
  const repository = `${registry}/${nodeImageTag().split(':')[0]}`
  const tag = nodeImageTag().slice(nodeImageTag().indexOf(':') + 1)
  let pushed: { at: number; reference: Promise<string> } | undefined

  async function push(): Promise<string> {
    const id = await ensureNodeImage(engine)
    await engine.ask((docker) => docker.getImage(id).tag({ repo: repository, tag }))
    try {
      const answer = await engine.ask((docker) => docker.getImage(repository).push({ tag, authconfig: {} }))
      await followProgress(engine, answer, PUSH_MS)
    } catch (error) {
      if (error instanceof EngineGoneError) throw error
      throw new UnavailableError(
        `the registry "${registry}" (DOCKER_CONFIGS.SWARM_REGISTRY) does not take the image of the launchers: ${reasonOf(error).slice(0, 200)}`,
        { cause: error },
      )
    }
    const { RepoDigests } = await engine.ask((docker) => docker.getImage(id).inspect())
    const reference = RepoDigests.find((name) => name.startsWith(`${repository}@`))
    if (reference === undefined) throw new UnavailableError(`the registry "${registry}" names no digest of an image`)
    return reference
  }

  return {
    inEngine: () => ensureNodeImage(engine),
    inRegistry() {
      if (pushed !== undefined && clock.monotonic() - pushed.at < FRESH_MS) return pushed.reference
      const made = { at: clock.monotonic(), reference: push() }
      pushed = made
      made.reference.catch(() => {
        if (pushed === made) pushed = undefined
      })
      return made.reference
    },
  }
}
