import type { Address } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import type { Statement } from '../../protocols/statement.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { RecordValidator, StatementSource } from '../base/statement-sync.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { StatementVia, TrustEvents } from './events.ts'

/** The keys of the operator's policy that trust depends on. */
export type TrustPolicy = Pick<RunnerConfig, 'TRUSTED_HUBS' | 'QUORUM' | 'TRUST_TREE'>

/** A statement in force, as it is stored. */
export type KeptStatement = {
  /** the bytes that travel */
  readonly encoded: Uint8Array
  /** ms */
  readonly receivedAt: number
  readonly via: StatementVia
  /** signed by this node's operator: published again until it expires */
  readonly own: boolean
  /** when it was last put into the mesh's records; ms, 0 = never */
  readonly recordPublishedAt: number
}

/** What keeps statements over restarts: of one subject the latest alone, also after it has expired. */
export interface StatementStore {
  /** Stores it unless the stored one replaces it; atomic. Returns whether it is in force now and was not before. */
  put(kept: KeptStatement): boolean
  /** `subject`: as `statementSubject` writes it. */
  get(subject: string): KeptStatement | undefined
  byId(id: CID): KeptStatement | undefined
  attestationsOf(code: string): KeptStatement[]
  freezesOf(address: Uint8Array): KeptStatement[]
  delegations(): KeptStatement[]
  own(): KeptStatement[]
  /** In byte order of their ids, those after `after` that have not expired then (seconds). */
  list(after: CID | undefined, max: number, aliveAt: number): KeptStatement[]
  /** Those that were received last, of one signer (address bytes) or of all. */
  newest(max: number, signer?: Uint8Array): KeptStatement[]
  setRecordPublished(subject: string, atMs: number): void
  remove(subject: string): void
  count(): number
  /** Forgets what was superseded so long ago that nothing older can be valid, then the oldest beyond `max`. Never `own`. */
  prune(nowMs: number, max: number): number
}

/** The mesh's records: of each key the values that were found, unchecked. */
export interface TrustRecords {
  find(key: string, options: { signal: AbortSignal }): AsyncIterable<Uint8Array>
  /** How many peers took it. */
  put(key: string, value: Uint8Array, options: { signal: AbortSignal }): Promise<number>
}

/** Whose code and author matter here now: what runs and what is parked. Text: base32 CID, address. */
export type ServiceInUse = { readonly service: string; readonly code: string; readonly author: string }

export interface TrustStoreComponents {
  clock: Clock
  log: Log
  events: Emitter<TrustEvents>
  statements: StatementStore
  keys: KeyCache
  /** Is it the code of a live service that the journal knows? */
  hasLiveCode(code: string): boolean
}

/** The ways to the mesh. */
export interface TrustComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<TrustEvents>
  records: TrustRecords
  mesh: { publish(statement: Uint8Array): Promise<unknown> }
}

export type TrustInit = {
  readonly network: string
  /** the node's own address: always a root */
  readonly own: Address
  policy(): TrustPolicy
}

/** What is asked about: the code and author of a service, and the statements that its author stapled to it. */
export type TrustSubject = {
  readonly code: CID
  readonly author: Uint8Array
  /** encoded statements and delegations of the service; unchecked */
  readonly staples: readonly Uint8Array[]
}

/** What runners get to know. Addresses as text, times whole seconds (UTC), amounts decimal text. */
export type TrustFacts = {
  readonly attestations: readonly {
    readonly hub: string
    readonly verdict: 'safe' | 'unsafe'
    readonly issued: number
    readonly expires: number
    readonly severity?: 'low' | 'medium' | 'high' | 'critical' | undefined
    readonly report?: string | undefined
  }[]
  readonly quorum: { readonly hubs: number; readonly weight: number; readonly met: boolean } | null
  readonly inTree: boolean
  readonly frozen: readonly { readonly hub: string; readonly chain: string; readonly amount: string }[]
}

/** new: it is in force now. known: it was already. older: a later one of the same subject is in force. untrusted: of no use here. */
export type IngestResult = 'new' | 'known' | 'older' | 'untrusted' | 'dropped'

/** A statement that is only thought of. */
export type Assumed = { readonly encoded: Uint8Array }

/** One statement as people are shown it. `trusted`: its signer counts here now. */
export type StatementView = {
  readonly id: string
  readonly kind: Statement['kind']
  readonly signer: string
  readonly trusted: boolean
  readonly own: boolean
  readonly seq: number
  readonly issued: number
  readonly expires: number
  /** seconds */
  readonly receivedAt: number
  readonly via: StatementVia
  /** attestation */
  readonly code?: string | undefined
  readonly verdict?: 'safe' | 'unsafe' | undefined
  readonly severity?: string | undefined
  readonly report?: string | undefined
  /** freeze statement */
  readonly address?: string | undefined
  readonly chain?: string | undefined
  readonly amount?: string | undefined
  /** delegation */
  readonly subject?: string | undefined
  readonly depth?: number | undefined
  readonly revoked?: boolean | undefined
}

/** One address of the trust tree, and its delegates. */
export type TreeBranch = {
  readonly address: string
  /** links that may still follow below it */
  readonly depth: number
  /** the delegation's end, seconds; a root has none */
  readonly until?: number | undefined
  readonly branches: readonly TreeBranch[]
  /** inactive delegations, and why: revoked, expired, deeper than the link above allows */
  readonly idle: readonly { readonly address: string; readonly why: string }[]
}

export type TrustTree = {
  readonly roots: readonly TreeBranch[]
  /** Only where an address was asked about: one sentence says why it is in or out; `path` begins with the root. */
  readonly asked?:
    | { readonly address: string; readonly in: boolean; readonly why: string; readonly path: readonly string[] }
    | undefined
}

/** Statements that are kept, and what follows from them under the policy. It needs no mesh, whose validators it has. */
export interface TrustStore extends Disposable {
  /**
   * The validator of the statements topic: accept what is new here of a trusted signer, and `unsafe` about the code of a
   * live service of any signer, within quotas; reject what is malformed or forged; ignore the rest. Synchronous.
   */
  validateGossip(bytes: Uint8Array, from: string): 'accept' | 'ignore' | 'reject'
  readonly sync: StatementSource
  readonly recordValidator: RecordValidator
  /** Takes one in. Throws a ProtocolError (or SignatureError) where it is malformed or forged. */
  take(encoded: Uint8Array, origin: { via: StatementVia; from?: string | undefined }): IngestResult
  /**
   * What is known now; takes the staples in first. With `policy`, as a candidate would see it; with `assumed`, as if that
   * statement were in force too. `at`: seconds.
   */
  factsOf(
    subject: TrustSubject,
    options?: { policy?: TrustPolicy | undefined; at?: number | undefined; assumed?: Assumed | undefined },
  ): TrustFacts
  /** What is kept, newest first; where neither code nor address is named, 4096 at most. */
  statements(filter?: {
    code?: string | undefined
    address?: string | undefined
    signer?: string | undefined
  }): StatementView[]
  tree(address?: string): TrustTree
}

/**
 * The trusted signers, and their statements.
 *
 * ```ts
 * using store = createTrustStore(components, { network, own, policy: () => policy.config })
 * await using trust = createTrust(store, { clock, rng, log, events, records, mesh })
 * trust.take(encoded, { via: 'gossip', from })
 * const { quorum, inTree } = trust.factsOf({ code, author, staples })
 * ```
 */
export interface Trust extends Omit<TrustStore, typeof Symbol.dispose>, AsyncDisposable {
  /**
   * From the operator: kept whatever the signer, published to the mesh, put into its records and renewed until it expires.
   * Throws an InputError where it is malformed, forged, out of time, or older than the one in force.
   */
  publish(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<StatementView>
  /** For `factsOf`. Nothing is kept. Throws an InputError where `publish` would. */
  assume(encoded: Uint8Array): Assumed
  /**
   * Asks the mesh's records, once in a while for one code and author (`fresh`: now in any case), for what the trusted
   * hubs and the tree say of them, in bounded time. Whatever fails stops nothing. Resolves when all that came is taken in;
   * `complete`: each of the records could be asked for when it was asked for last.
   */
  lookUp(
    subject: Partial<Omit<TrustSubject, 'staples'>>,
    options?: { signal?: AbortSignal | undefined; fresh?: boolean | undefined },
  ): Promise<{ complete: boolean }>
  /** The policy is another one: which signers are trusted is evaluated again, and looked up. The caller re-evaluates the services. */
  policyChanged(): void
  /** Looks up what runs and what is parked, once, and begins the regular work. */
  boot(servicesInUse: () => Iterable<ServiceInUse>): void
}
