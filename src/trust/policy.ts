import { type Address, addressBytes } from '../../protocols/address.ts'
import { MAX_DELEGATION_DEPTH } from '../../protocols/limits.ts'
import type { HubMembers } from '../../protocols/multisig.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { keyOf } from '../base/lru-map.ts'
import { addressOf, membersOf } from '../config/index.ts'
import type { TrustPolicy } from './types.ts'

/** A hub that the operator believes. */
export type TrustedHub = {
  /** as the policy writes it */
  readonly text: string
  readonly bytes: Uint8Array
  readonly weight: number
  readonly pinned?: HubMembers | undefined
}

export type Root = {
  readonly text: string
  readonly bytes: Uint8Array
  /** links that are allowed below it */
  readonly depth: number
}

/** A policy with its addresses read. Keys: `keyOf` of address bytes. */
export type ParsedTrustPolicy = {
  readonly hubs: ReadonlyMap<string, TrustedHub>
  readonly roots: ReadonlyMap<string, Root>
  readonly quorum: TrustPolicy['QUORUM']
}

/** Reads each policy once: it is the same object as long as it is in force, and reading an address costs up to a millisecond. */
export function createPolicyParser(
  { keys, log }: { keys: KeyCache; log: Log },
  init: { network: string; own: Address; ownText: string },
): (policy: TrustPolicy) => ParsedTrustPolicy {
  const read = new WeakMap<TrustPolicy, ParsedTrustPolicy>()

  function hubOf([text, settings]: [string, TrustPolicy['TRUSTED_HUBS'][string]]): [string, TrustedHub] {
    const address = addressOf(text)
    const bytes = addressBytes(address)
    const hub = { text, bytes, weight: settings.WEIGHT }
    try {
      return [keyOf(bytes), { ...hub, pinned: membersOf(address, settings, init.network, keys) }]
    } catch (error) {
      // only a policy that was not checked for this network: all members together still count
      log.warn('the proofs of members of a trusted hub are invalid, so only what all members signed counts', {
        hub: text,
        reason: messageOf(error),
      })
      return [keyOf(bytes), hub]
    }
  }

  return (policy) => {
    const known = read.get(policy)
    if (known !== undefined) return known
    const bytes = addressBytes(init.own)
    const roots = new Map<string, Root>()
    // what is signed with the node's own key is the operator's statement
    roots.set(keyOf(bytes), { text: init.ownText, bytes, depth: MAX_DELEGATION_DEPTH })
    for (const [text, { DEPTH }] of Object.entries(policy.TRUST_TREE.ROOTS)) {
      const listed = addressBytes(addressOf(text))
      roots.set(keyOf(listed), { text, bytes: listed, depth: DEPTH })
    }
    const hubs = new Map(Object.entries(policy.TRUSTED_HUBS).map(hubOf))
    const fresh: ParsedTrustPolicy = { hubs, roots, quorum: policy.QUORUM }
    read.set(policy, fresh)
    return fresh
  }
}
