import type Docker from 'dockerode'
import { joinWords } from '../../base/format.ts'
import { parseImageRef } from '../../base/image-ref.ts'
import { NODE_IMAGE } from '../constants.ts'
import { type Engine, reasonOf } from '../docker/engine.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import type { Plan } from '../types.ts'

type Toolchains = Readonly<Record<string, { readonly image: string }>>

type Init = {
  readonly toolchains: Toolchains
  readonly registries: (author: string) => readonly string[]
}

/**
 * The images of toolchains by the digests that their registries name now: each machine pulls for itself, and all get the same.
 * Our own Node's is the launcher's.
 */
export function createToolchainImages({ engine }: { engine: Engine }, { toolchains, registries }: Init) {
  async function digestOf(name: string): Promise<string | { readonly problem: string }> {
    try {
      const path = `/distribution/${name}/json`
      const options = {
        path,
        method: 'GET',
        statusCodes: { 200: true, 403: 'forbidden', 404: 'not found', 500: 'failed' },
      }
      const answer = await engine.ask(
        ({ modem }: Docker) =>
          new Promise<unknown>((resolve, reject) => {
            modem.dial(options, (error: unknown, found: unknown) => (error ? reject(error) : resolve(found)))
          }),
      )
      const { digest } = (answer as { Descriptor: { digest: string } }).Descriptor
      return `${name.replace(/@.*$/, '').replace(/:[^/]*$/, '')}@${digest}`
    } catch (error) {
      if (error instanceof EngineGoneError) throw error
      return { problem: `${name}: ${reasonOf(error).slice(0, 200)}` }
    }
  }

  return {
    /** As an executor on a machine of the swarm is given them, for one plan. */
    async of({ toolchain, author, image, imageId }: Plan): Promise<Toolchains> {
      const name = toolchain.find((word) => toolchains[word] !== undefined)
      const written = name === undefined ? undefined : toolchains[name]?.image
      if (name === undefined || written === undefined || written === NODE_IMAGE || (image ?? imageId) !== undefined)
        return toolchains
      const problems: string[] = []
      for (const reference of [...registries(author).map((origin) => mirrored(origin, written)), written]) {
        const found = await digestOf(reference)
        if (typeof found === 'string') return { [name]: { image: found } }
        problems.push(found.problem)
      }
      throw new RunRefusedError(`no registry has the image "${written}" for the swarm: ${joinWords(problems)}`)
    },
  }
}

function mirrored(origin: string, name: string): string {
  const { repository } = parseImageRef(name)
  const tag = /(@[^/]*|:[^/]*)$/.exec(name)?.[0] ?? ''
  return `${origin.replace(/^[a-z]+:\/\//, '').replace(/\/+$/, '')}/${repository}${tag}`
}
