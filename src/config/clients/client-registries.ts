import { REGISTRY_KINDS, type RegistryKind } from '../../../protocols/registries.ts'
import type { Env } from '../env.ts'
import { isHttp } from '../network-fields.ts'
import { cabalRepository } from './cabal.ts'
import { cargoIndex } from './cargo.ts'
import { composerRepository } from './composer.ts'
import { dockerMirror } from './docker.ts'
import { gemSource } from './gem.ts'
import { goProxy } from './go.ts'
import { mavenMirror } from './maven.ts'
import { npmRegistry, npmScopes } from './npm.ts'
import { nugetSource } from './nuget.ts'
import { pipIndex } from './pip.ts'
import { clientSettings } from './settings.ts'
import type { ClientReader, ClientRegistries } from './types.ts'

const READERS: Readonly<Record<RegistryKind | 'docker', ClientReader>> = {
  npm: npmRegistry,
  pypi: pipIndex,
  cargo: cargoIndex,
  gem: gemSource,
  go: goProxy,
  composer: composerRepository,
  nuget: nugetSource,
  hackage: cabalRepository,
  scala: mavenMirror,
  docker: dockerMirror,
}

/**
 * What the package managers are configured to use. A client without settings, with broken ones, or with an address that has
 * a password in it, has none: then REGISTRIES has to name one.
 */
export async function readClientRegistries(env: Env): Promise<ClientRegistries> {
  const settings = clientSettings(env)
  if (settings === undefined) return {}
  const [found, scopes] = await Promise.all([
    Promise.all(
      [...REGISTRY_KINDS, 'docker' as const].map(
        async (kind) => [kind, await READERS[kind](settings).catch(() => undefined)] as const,
      ),
    ),
    npmScopes(settings).catch(() => ({})),
  ])
  const usable = [...Object.entries(scopes), ...found].flatMap(([of, url]) =>
    url !== undefined && isHttp(url.trim()) ? [[of, url.trim()] as const] : [],
  )
  return Object.fromEntries(usable)
}
