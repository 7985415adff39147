import { type Address, parseAddress, sameAddress } from '../../protocols/address.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { createKeyCache, type KeyCache } from '../../protocols/signature.ts'
import { decodeStatement, signerOf, verifyStatement } from '../../protocols/statement.ts'
import type { Clock } from '../base/clock.ts'
import { createEvents } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import { membersOf } from '../config/index.ts'
import { openJournal, type StatementRecord } from '../journal/index.ts'
import {
  createTrustStore,
  type IngestResult,
  type TrustEvents,
  type TrustFacts,
  type TrustPolicy,
  type TrustSubject,
} from '../trust/index.ts'

export type { TrustFacts, TrustSubject } from '../trust/index.ts'

export type CandidateTrustInit = {
  readonly network: string
  /** the node's own address: always a root */
  readonly own: Address
  /** a candidate's, or the one in force */
  readonly policy: TrustPolicy
  /** what a node keeps, as its journal has it: not checked again */
  readonly kept?: Iterable<readonly StatementRecord[]> | undefined
}

/**
 * What a node with a candidate policy would believe: it weighs statements exactly as a node does,
 * and neither asks the mesh nor announces anything. What it learns is forgotten with it.
 */
export interface CandidateTrust extends AsyncDisposable {
  /** Statements that came with the journal. */
  readonly kept: number
  /** One more. Throws a ProtocolError where it is malformed or forged. */
  take(encoded: Uint8Array): IngestResult
  /** What is known of a service by then: of what is kept and stapled, that which is in time. `at`: seconds. */
  factsOf(subject: TrustSubject, at: number): TrustFacts
}

export function openCandidateTrust(
  components: { clock: Clock; log: Log; rng: Rng },
  init: CandidateTrustInit,
): CandidateTrust {
  const { network, own, policy, kept = [] } = init
  const { clock, log } = components
  const journal = openJournal({ path: ':memory:', clock, log })
  const keys = createKeyCache()
  const holds = createMemberCheck(policy, network, keys)
  let count = 0
  journal.transaction(() => {
    for (const page of kept) {
      for (const record of page) if (holds(record.encoded) && journal.statements.put(record)) count++
    }
  })
  // another object: what is asked about it leaves nothing behind, and rests on the second that is asked about
  const effectivePolicy = { ...policy }
  const trust = createTrustStore(
    {
      clock,
      log,
      events: createEvents<TrustEvents>(),
      statements: journal.statements,
      keys,
      // what is of no use to this policy is not kept
      hasLiveCode: () => false,
    },
    { network, own, policy: () => effectivePolicy },
  )
  return {
    kept: count,
    take: (encoded) => trust.take(encoded, { via: 'api' }),
    factsOf: (subject, at) => trust.factsOf(subject, { policy, at }),
    async [Symbol.asyncDispose]() {
      trust[Symbol.dispose]()
      journal[Symbol.dispose]()
    },
  }
}

/** What some members of a hub signed holds under the policy that pins them, and perhaps under no other. */
function createMemberCheck({ TRUSTED_HUBS }: TrustPolicy, network: string, keys: KeyCache) {
  const pinned = Object.entries(TRUSTED_HUBS).flatMap(([text, settings]) => {
    try {
      return membersOf(parseAddress(text), settings, network, keys) ?? []
    } catch (error) {
      // proofs for another network: then all members together count, and no fewer
      if (error instanceof ProtocolError) return []
      throw error
    }
  })
  return (encoded: Uint8Array): boolean => {
    const statement = decodeStatement(encoded)
    if (statement.signers === undefined) return true
    const signer = signerOf(statement)
    try {
      const members = pinned.find(({ hub }) => sameAddress(hub, signer))
      verifyStatement(statement, network, keys, members)
      return true
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
  }
}
