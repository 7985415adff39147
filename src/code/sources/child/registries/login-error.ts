import type { RegistryKind } from '../../../../../protocols/registries.ts'
import { UnusableSourceError } from '../errors.ts'
import type { RegistryContext, RegistrySource } from './types.ts'

/** Where the client of each index keeps a login; npm has a command for it. */
const KEPT_IN: Readonly<Record<Exclude<RegistryKind, 'npm'>, string>> = {
  pypi: '~/.netrc',
  cargo: "cargo's credentials.toml",
  gem: "Bundler's config",
  go: '~/.netrc',
  composer: "composer's auth.json",
  nuget: 'NuGet.Config',
  hackage: "the address in cabal's config",
  scala: "Maven's settings.xml",
}

export function loginError({ kind, name }: RegistrySource, { base }: RegistryContext): UnusableSourceError {
  const advice = kind === 'npm' ? `\`npm login --registry=${base.href}\` gives one` : `put one into ${KEPT_IN[kind]}`
  return new UnusableSourceError(
    `${base.host} shows ${name} to nobody without a login; ${advice}, which serves packages of your own services alone`,
  )
}
