/** A package registry: whose packages it has, and by which names an operator allows it. */
export type Registry = {
  /** canonical name: REGISTRIES lists mirrors under it */
  readonly toolchain: string
  /** what people call it first, then where its packages are */
  readonly hosts: readonly string[]
}

const REGISTRIES: Readonly<Record<string, Registry>> = {
  npm: { toolchain: 'node.js', hosts: ['npmjs.com', 'registry.npmjs.org'] },
  pypi: { toolchain: 'python', hosts: ['pypi.org', 'files.pythonhosted.org'] },
  cargo: { toolchain: 'rust', hosts: ['crates.io', 'static.crates.io', 'index.crates.io'] },
  go: { toolchain: 'go', hosts: ['pkg.go.dev', 'proxy.golang.org'] },
  gem: { toolchain: 'ruby', hosts: ['rubygems.org'] },
  composer: { toolchain: 'php', hosts: ['getcomposer.org', 'packagist.org', 'repo.packagist.org'] },
  nuget: { toolchain: 'c#', hosts: ['www.nuget.org', 'nuget.org', 'api.nuget.org'] },
  hackage: { toolchain: 'haskell', hosts: ['hackage.haskell.org'] },
  scala: { toolchain: 'scala', hosts: ['index.scala-lang.org', 'repo1.maven.org'] },
}

const ALIASES: Readonly<Record<string, string>> = {
  'node.js': 'npm',
  python: 'pypi',
  crates: 'cargo',
  'crates.io': 'cargo',
  rust: 'cargo',
  golang: 'go',
  rubygems: 'gem',
  ruby: 'gem',
  packagist: 'composer',
  php: 'composer',
  haskell: 'hackage',
}

/** The registry that a source's `kind` means. */
export function findRegistry(kind: string): Registry | undefined {
  const lower = kind.toLowerCase()
  const name = Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] as string) : lower
  return Object.hasOwn(REGISTRIES, name) ? REGISTRIES[name] : undefined
}

/** The kinds that a source may name. */
export const REGISTRY_KINDS: readonly string[] = Object.keys(REGISTRIES)
