import { createHmac } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { Rng } from '../../base/rng.ts'

const KEY_BYTES = 32

/** The keys by which node and launchers know each other. Each launcher has its own: a machine learns those of its runs alone. */
export type LauncherKeys = { of(service: string): Promise<Buffer> }

export function createLauncherKeys({ rng }: { rng: Rng }, { keyFile }: { keyFile: string }): LauncherKeys {
  let secret: Promise<Buffer> | undefined

  async function load(): Promise<Buffer> {
    try {
      await using file = await open(keyFile, 'wx', 0o600)
      const made = Buffer.from(rng.bytes(KEY_BYTES))
      await file.writeFile(made)
      await file.sync()
      return made
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      return readFile(keyFile)
    }
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
