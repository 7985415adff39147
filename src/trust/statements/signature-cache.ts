import type { HubMembers } from '../../../protocols/multisig.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import { type Statement, verifyStatement } from '../../../protocols/statement.ts'
import { LruMap } from '../../base/lru-map.ts'
import { REMEMBERED_DIGESTS } from '../constants.ts'

/** Signatures, each checked once: a statement comes by gossip, as a record, and stapled. */
export interface SignatureCache {
  /** Throws as `verifyStatement` does. `digest`: of the encoded bytes. */
  check(digest: string, statement: Statement, pinned: HubMembers | undefined): void
  isChecked(digest: string): boolean
}

export function createSignatureCache({ keys }: { keys: KeyCache }, init: { network: string }): SignatureCache {
  const held = new LruMap<string, true>(REMEMBERED_DIGESTS)
  return {
    check(digest, statement, pinned) {
      if (held.get(digest) === true) return
      verifyStatement(statement, init.network, keys, pinned)
      // what some members signed holds only under the policy that pins them
      if (statement.signers === undefined) held.set(digest, true)
    },
    isChecked: (digest) => held.has(digest),
  }
}
