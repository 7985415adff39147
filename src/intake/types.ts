import type { Announcement, Signed } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { ProtocolError } from '../../protocols/errors.ts'
import type { Ticket } from '../../protocols/redirection.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import type { SyncItem } from '../../protocols/streams/sync.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { AnnouncementStore, VersionHeadStore } from '../journal/index.ts'
import type { DropReason, IntakeEvents } from './events.ts'
import type { ForwardDecision } from './forwarding-rules.ts'
import type { QuotaInit } from './quotas.ts'

/** What intake keeps, and how: the journal satisfies it. */
export interface IntakeJournal {
  readonly announcements: Pick<
    AnnouncementStore,
    | 'insert'
    | 'get'
    | 'has'
    | 'updateTicket'
    | 'setRedirect'
    | 'recordVerdict'
    | 'setEmitted'
    | 'setOwn'
    | 'end'
    | 'liveOf'
    | 'countLive'
    | 'forwardingOf'
    | 'undecided'
    | 'pendingEmission'
    | 'shared'
  >
  readonly heads: VersionHeadStore
  transaction<T>(work: () => T): T
  prune(max: number): string[]
}

export type SignedService = Extract<Signed, { kind: 'service' }>

/** Asked once for every new service. Where it throws, the service is decided again later, at the latest after a restart. */
export interface Decider {
  decide(service: SignedService, ticket: Ticket, options: { signal: AbortSignal }): Promise<{ redirect: boolean }>
}

/** The ways out, into the mesh. */
export interface IntakeMesh {
  /** `all`: to every neighbour and not only to the mesh's few, for what they will not forward. */
  publish(bytes: Uint8Array, options: { to: 'mesh' | 'all' }): Promise<'published' | 'seen' | 'no-peers'>
  /** Offers these to all neighbours. */
  offer(items: readonly SyncItem[]): Promise<unknown> | void
  /** Asks one peer for these; they come back through `syncSource.arrive`. */
  pull(peer: string, ids: readonly CID[]): Promise<unknown> | void
}

export interface IntakeComponents {
  clock: Clock
  log: Log
  events: Emitter<IntakeEvents>
  journal: IntakeJournal
  keys: KeyCache
  decider: Decider
  mesh: IntakeMesh
  /** Called with the peer that was the first to bring something new and valid. */
  score: { delivered(peer: string): void }
  /** Called with the ids that the journal does not hold any more. */
  onForgotten?: ((ids: readonly string[]) => void) | undefined
}

export type IntakeInit = {
  /** the network's name: signatures are valid in one network only */
  readonly network: string
  /** REDIRECTION_DEPTH; asked each time, it may change on a reload */
  readonly redirectionDepth: () => number
  readonly quotas: QuotaInit
  /** how long a copy waits for the verdict that decides whether it is forwarded: the runner's own time limit */
  readonly verdictTimeoutMs: number
  /** how long a copy is held that a better one may turn into this node's emission; default 2 s, 0 = not at all */
  readonly holdMs?: number | undefined
}

/** How bytes came that gossip did not bring. `tell`: sent directly to this node; allowed for stops only. */
export type SubmitVia = 'sync' | 'tell' | 'api' | 'local'

/** Why something was not taken in. `invalid`: its sender's fault. `older`: a newer version or a stop is known. */
export type RejectionReason = 'invalid' | 'early' | 'expired' | 'older' | DropReason

/** What became of one announcement. `retry`: the same bytes may be taken later. */
export type Outcome =
  | { readonly outcome: 'new' | 'known' | 'better'; readonly id: string }
  | {
      readonly outcome: 'refused'
      readonly why: RejectionReason
      readonly reason: string
      readonly retry: boolean
      readonly error?: ProtocolError
    }

/** `unsent`: it has gone out at this depth before, or is over. */
export type MeshOutcome = 'published' | 'seen' | 'no-peers' | 'unsent'
/** It is journalled; `mesh` settles when gossip has taken it, or did not: maintenance tries again then. It never rejects. */
export type PublishOutcome = { readonly id: string; readonly mesh: Promise<MeshOutcome> }

/** What sync serves and fills: the live services and stops that this node would emit. */
export interface IntakeSync {
  list(after: CID | undefined, max: number): SyncItem[]
  get(id: CID): Uint8Array | undefined
  wants(items: readonly SyncItem[]): CID[]
  /** Throws a ProtocolError where it is malformed or forged. */
  arrive(bytes: Uint8Array, from: string, via: 'sync' | 'tell'): Promise<void>
}

/** Counts since the start, and what waits now. */
export type IntakeStats = {
  readonly received: number
  readonly better: number
  readonly known: number
  /** malformed or forged */
  readonly refused: number
  /** early, expired, or older than what is known */
  readonly outdated: number
  readonly dropped: Readonly<Record<DropReason, number>>
  readonly emitted: Readonly<Record<'published' | 'forwarded' | 'offered', number>>
  readonly deciding: number
  readonly decisionsFailed: number
  readonly copiesWaiting: number
  readonly deferred: number
  readonly deferredLost: number
}

/**
 * The intake of every announcement: decode, verify once, dedupe for its life, journal, ask for a verdict, and emit what
 * the verdict and the ticket allow. The signature is checked before anything is remembered; it is checked at once, so
 * what bounds the work is the quotas, which are checked first. Where an author signed one body twice, the signature
 * that came first is the one that this node emits.
 */
export interface Intake extends AsyncDisposable {
  /** What gossip may do with a copy. Bounded by `verdictTimeoutMs` and `holdMs`. */
  gossip(bytes: Uint8Array, from: string): Promise<Exclude<ForwardDecision, 'wait' | 'hold'>>
  /** Anything that came another way. Resolves when it is journalled; the verdict follows. */
  submit(bytes: Uint8Array, via: SubmitVia, from?: string): Promise<Outcome>
  /** Announces from here, undiminished and without asking the decider. Throws a ProtocolError or InputError. */
  publish(announcement: Announcement): Promise<PublishOutcome>
  /** The verdict on a known service has changed. */
  setRedirect(id: string, redirect: boolean): void
  readonly syncSource: IntakeSync
  /** Decides what a crash left undecided, and begins the maintenance. */
  boot(): void
  /** Resolves when no verdict is pending and nothing is on its way out. */
  idle(): Promise<void>
  stats(): IntakeStats
}
