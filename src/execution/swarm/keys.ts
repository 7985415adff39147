import { createHmac } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, InputError } from '../../base/errors.ts'
import type { Rng } from '../../base/rng.ts'

const KEY_BYTES = 32

/** The keys by which node and launchers know each other. Each launcher has its own: a machine learns those of its runs alone. */
export type LauncherKeys = { of(service: string): Promise<Buffer> }

export function createLauncherKeys({ rng }: { rng: Rng }, { keyFile }: { keyFile: string }): LauncherKeys {
  let secret: Promise<Buffer> | undefined

  async function load(): Promise<Buffer> {
    const known = await read()
    if (known !== undefined) return known
    await make()
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

  /** Linked, not written in place: whatever happens meanwhile, the file is never there without all of its bytes. */
  async function make(): Promise<void> {
    const draft = `${keyFile}.draft`
    await rm(draft, { force: true })
    try {
      {
        await using file = await open(draft, 'wx', 0o600)
        await file.writeFile(rng.bytes(KEY_BYTES))
        await file.sync()
      }
      await link(draft, keyFile).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error
      })
    } finally {
      await rm(draft, { force: true })
    }
    await using folder = await open(dirname(keyFile), 'r')
    await folder.sync()
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
