import type { Statement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import type { Policy } from '../policy.ts'
import type { Canopy } from '../tree/tree-cache.ts'
import { keyOf, signerBytes } from './indexed-statement.ts'

/** Whose word counts here now. */
export interface Counting {
  policy(): Policy
  statement(statement: Statement): boolean
  /** Some kind of its statements would. */
  signer(bytes: Uint8Array): boolean
}

export function createCounting(
  { clock, canopy }: { clock: Clock; canopy: Canopy },
  init: { policy(): Policy },
): Counting {
  /** Who may have no link below itself vouches for nobody. */
  const vouches = (key: string) => {
    const policy = init.policy()
    return policy.roots.has(key) || (canopy.of(policy, nowSeconds(clock)).members.get(key)?.depth ?? 0) > 0
  }
  return {
    policy: init.policy,
    statement(statement) {
      const key = keyOf(signerBytes(statement))
      return statement.kind === 'delegation' ? vouches(key) : init.policy().hubs.has(key)
    },
    signer(bytes) {
      const key = keyOf(bytes)
      return init.policy().hubs.has(key) || vouches(key)
    },
  }
}
