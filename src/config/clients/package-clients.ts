import { cabal } from './cabal.ts'
import { cargo } from './cargo.ts'
import { composer } from './composer.ts'
import { docker } from './docker.ts'
import { gem } from './gem.ts'
import { go } from './go.ts'
import { maven } from './maven.ts'
import { npmRegistry } from './npm.ts'
import { nuget } from './nuget.ts'
import { pip } from './pip.ts'
import type { ClientKind, PackageClient } from './types.ts'

export const PACKAGE_CLIENTS: Readonly<Record<ClientKind, PackageClient>> = {
  // its library reads logins and authorities, too
  npm: { address: npmRegistry },
  pypi: pip,
  cargo,
  gem,
  go,
  composer,
  nuget,
  hackage: cabal,
  scala: maven,
  docker,
}
