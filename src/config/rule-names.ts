/**
 * The rules of Andromeda, by name: the one list that MODES, the rules themselves and the reference are made from,
 * in the order of evaluation: free checks first, what needs statements of others last.
 */
export const RULE_NAMES = [
  'desc-length',
  'keywords',
  'toolchain',
  'storage',
  'network',
  'price',
  'limits',
  'containers',
  'capacity',
  'veto',
  'trust',
  'freeze',
] as const

export type RuleName = (typeof RULE_NAMES)[number]

/** What fails one of these cannot run here, whatever the operator would like. */
export const PHYSICAL_RULES: ReadonlySet<RuleName> = new Set(['toolchain', 'limits', 'capacity'])
