/** The package indexes that a source may name; section 15 says what of a package is code. */
export const REGISTRY_KINDS = ['npm', 'pypi', 'cargo', 'gem', 'go', 'composer', 'nuget', 'hackage', 'scala'] as const
export type RegistryKind = (typeof REGISTRY_KINDS)[number]
