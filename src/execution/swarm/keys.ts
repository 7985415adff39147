import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { errnoOf, InputError } from '../../base/errors.ts'
import type { Rng } from '../../base/rng.ts'
import { createKeyFile } from '../../config/index.ts'

const KEY_BYTES = 32

/** The keys by which node and launchers know each other. Each launcher has its own: a machine learns those of its runs alone. */
export type LauncherKeys = { of(service: string): Promise<Buffer> }

export function createLauncherKeys({ rng }: { rng: Rng }, { keyFile }: { keyFile: string }): LauncherKeys {
  let secret: Promise<Buffer> | undefined

  async function load(): Promise<Buffer> {
    const known = await read()
    if (known !== undefined) return known
    await createKeyFile(keyFile, rng.bytes(KEY_BYTES))
    return (await read()) ?? load()
  }

  async function read(): Promise<Buffer | undefined> {
    let found: Buffer
    try {
      found = await readFile(keyFile)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
    if (found.byteLength === KEY_BYTES) return found
    throw new InputError(
      `${keyFile} holds ${found.byteLength} bytes, and the node's secret for its launchers has ${KEY_BYTES}: restore the file, or remove it and the services of this node in the swarm`,
    )
  }

  return {
    async of(service) {
      secret ??= load()
      secret.catch(() => {
        secret = undefined
      })
      return createHmac('sha256', await secret)
        .update(`thundercloud launcher ${service}`)
        .digest()
    },
  }
}
