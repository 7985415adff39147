import type { Statement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { keyOf } from '../../base/lru-map.ts'
import type { ParsedTrustPolicy } from '../policy.ts'
import type { TreeCache } from '../tree/tree-cache.ts'
import { signerBytes } from './indexed-statement.ts'

/** Which signers the current policy trusts. */
export interface SignerPolicy {
  current(): ParsedTrustPolicy
  isTrusted(statement: Statement): boolean
  /** Would any kind of its statements be trusted? */
  mayBeTrusted(bytes: Uint8Array): boolean
}

export function createSignerPolicy(
  { clock, treeCache }: { clock: Clock; treeCache: TreeCache },
  init: { policy(): ParsedTrustPolicy },
): SignerPolicy {
  /** A member with remaining depth 0 cannot delegate. */
  const mayDelegate = (key: string) => {
    const policy = init.policy()
    return policy.roots.has(key) || (treeCache.of(policy, nowSeconds(clock)).members.get(key)?.depth ?? 0) > 0
  }
  return {
    current: init.policy,
    isTrusted(statement) {
      const key = keyOf(signerBytes(statement))
      return statement.kind === 'delegation' ? mayDelegate(key) : init.policy().hubs.has(key)
    },
    mayBeTrusted(bytes) {
      const key = keyOf(bytes)
      return init.policy().hubs.has(key) || mayDelegate(key)
    },
  }
}
