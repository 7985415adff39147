import table from '../../../configs/registries.json' with { type: 'json' }
import { REGISTRY_KINDS, type RegistryKind } from '../../../protocols/registries.ts'

/** A package index: by which names an operator allows it, and the key of REGISTRIES under which its mirrors are. */
export type Registry = {
  readonly kind: RegistryKind
  /** what people call it first */
  readonly names: readonly string[]
  readonly key: string
}

const KEYS: Readonly<Record<RegistryKind, string>> = {
  npm: 'NODE.JS',
  pypi: 'PYTHON',
  cargo: 'RUST',
  gem: 'RUBY',
  go: 'GO',
  composer: 'PHP',
  nuget: 'C#',
  hackage: 'HASKELL',
  scala: 'SCALA',
}

const registries = new Map(REGISTRY_KINDS.map((kind) => [kind, { kind, names: namesOf(kind), key: KEYS[kind] }]))

/** The registry of a source's `kind`. */
export function registryOf(kind: RegistryKind): Registry {
  return registries.get(kind) as Registry
}

/** The table maps names to kinds, and says nothing of where packages are downloaded from. */
function namesOf(kind: RegistryKind): string[] {
  return Object.entries(table).flatMap(([name, of]) => (of === kind ? [name] : []))
}
