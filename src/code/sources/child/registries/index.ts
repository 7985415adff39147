import type { RegistryKind } from '../../../../../protocols/registries.ts'
import { cargo } from './cargo.ts'
import { composer } from './composer.ts'
import { gem } from './gem.ts'
import { go } from './go.ts'
import { hackage } from './hackage.ts'
import { npm } from './npm.ts'
import { nuget } from './nuget.ts'
import { pypi } from './pypi.ts'
import { scala } from './scala.ts'
import type { Registry } from './types.ts'

/** One file for each package index; what of a package is code is in archive/pack-list.ts. */
export const registries: Readonly<Record<RegistryKind, Registry>> = {
  npm,
  pypi,
  cargo,
  gem,
  go,
  composer,
  nuget,
  hackage,
  scala,
}
