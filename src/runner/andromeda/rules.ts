import type { RuleName } from '../../config/rule-names.ts'
import { RULE_NAMES } from '../../config/rule-names.ts'
import type { Rule } from './rule.ts'
import { capacity } from './rules/capacity.ts'
import { containers } from './rules/containers.ts'
import { descLength } from './rules/desc-length.ts'
import { freeze } from './rules/freeze.ts'
import { keywords } from './rules/keywords.ts'
import { limits } from './rules/limits.ts'
import { network } from './rules/network.ts'
import { price } from './rules/price.ts'
import { storage } from './rules/storage.ts'
import { toolchain } from './rules/toolchain.ts'
import { trust } from './rules/trust.ts'
import { veto } from './rules/veto.ts'

const byName: { readonly [N in RuleName]: Rule } = {
  'desc-length': descLength,
  keywords,
  toolchain,
  storage,
  network,
  price,
  limits,
  containers,
  capacity,
  veto,
  trust,
  freeze,
}

/** In order of cost: free checks first, what needs statements of others last. */
export const rules: readonly Rule[] = RULE_NAMES.map((name) => byName[name])
