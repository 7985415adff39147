import { readFile } from 'node:fs/promises'
import { REGISTRY_KINDS, type RegistryKind } from '../../../protocols/registries.ts'
import type { Env } from '../env.ts'
import { isHttp } from '../network-fields.ts'
import { cabalRepository } from './cabal.ts'
import { cargoIndex } from './cargo.ts'
import { composerRepository } from './composer.ts'
import { gemSource } from './gem.ts'
import { goProxy } from './go.ts'
import { mavenMirror } from './maven.ts'
import { npmRegistry } from './npm.ts'
import { nugetSource } from './nuget.ts'
import { pipIndex } from './pip.ts'
import type { ClientReader, ClientRegistries, ClientSettings } from './types.ts'

const READERS: Readonly<Record<RegistryKind, ClientReader>> = {
  npm: npmRegistry,
  pypi: pipIndex,
  cargo: cargoIndex,
  gem: gemSource,
  go: goProxy,
  composer: composerRepository,
  nuget: nugetSource,
  hackage: cabalRepository,
  scala: mavenMirror,
}

/** The settings of a person's package managers are theirs: larger files are something else. */
const MAX_BYTES = 1024 * 1024

/**
 * What the package managers are configured to use. A client without settings, with broken ones, or with an address that has
 * a password in it, has none: then REGISTRIES has to name one. Without a HOME there is nobody whose settings they could be.
 */
export async function readClientRegistries(env: Env): Promise<ClientRegistries> {
  const home = env.HOME
  if (home === undefined || home === '') return {}
  const settings: ClientSettings = { env, home, text }
  const found = await Promise.all(
    REGISTRY_KINDS.map(async (kind) => {
      const url = await READERS[kind](settings).catch(() => undefined)
      return url !== undefined && isHttp(url.trim()) ? [[kind, url.trim()] as const] : []
    }),
  )
  return Object.fromEntries(found.flat())
}

async function text(path: string): Promise<string | undefined> {
  const written = await readFile(path, 'utf8').catch(() => undefined)
  return written !== undefined && written.length <= MAX_BYTES ? written : undefined
}
