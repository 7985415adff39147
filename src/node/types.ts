import type { KeyCache } from '../../protocols/signature.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { ClientAccessReader, Configuration, HubSettings, Identity } from '../config/index.ts'
import type { Pools } from '../execution/index.ts'
import type { Defence, NetworkPeer, ReachabilityView } from '../network/index.ts'
import type { NodeResults } from '../results/index.ts'
import type { RunnerHost } from '../runner/index.ts'
import type { NodeLists } from '../services/lists/types.ts'
import type { ReceiptView, ServiceCodeView, ServiceView, UsageHistoryView } from '../services/types.ts'

export type { ReachabilityView } from '../network/index.ts'
export type {
  ReceiptView,
  RunView,
  ServiceCodeView,
  ServiceState,
  ServiceView,
  UsageHistoryView,
} from '../services/types.ts'

import type { LogLine } from '../base/run-record.ts'
import type { BytePipe } from '../base/stream.ts'

export type { LogLine } from '../base/run-record.ts'

import type { DrainOptions, DrainView } from '../admission/drain/types.ts'
import type { Blocks } from '../admission/operator/blocks.ts'
import type { Pause, PauseView } from '../admission/operator/pause.ts'
import type { Applied, PolicyView, Preview } from '../admission/views.ts'
import type { Events } from '../base/events.ts'
import type { Verdict } from '../base/verdict.ts'
import type { PolicyHistory } from '../policy/history.ts'
import type { ApplyOptions, PolicyText } from '../policy/manager.ts'
import type { NodeFacts } from '../runner/index.ts'
import type { StatementView, TrustTree } from '../trust/index.ts'
import type { NodeEvents } from './events.ts'
import type { NodeCode } from './node-code.ts'
import type { Platform } from './wiring/platform.ts'

export type { DrainOptions, DrainView } from '../admission/drain/types.ts'
export type { Blocked, BlockedRun, BlockInit, BlockView } from '../admission/operator/blocks.ts'
export type { PauseView } from '../admission/operator/pause.ts'
export type { Applied, Change, Disposition, PolicyView, Preview } from '../admission/views.ts'
export type { PoolDataView, PoolSpec, Pools, PoolView } from '../execution/index.ts'
export type { PastPolicy, PastPolicyText, PolicyAuthor } from '../policy/history.ts'
export type { ApplyOptions, PolicyText } from '../policy/manager.ts'
export type { ResultsView } from '../results/index.ts'
export type { StatementView, TreeBranch, TrustTree } from '../trust/index.ts'
export type { CheckedCode, CodeRepairView, CodeUsage, CodeUse, CodeView, NodeCode, RemovedCode } from './node-code.ts'

export type StatementFilter = {
  readonly code?: string | undefined
  /** subject of a freeze statement or a delegation */
  readonly address?: string | undefined
  readonly signer?: string | undefined
}

/** The journalled verdict in force, or the one that a fresh decision would give. */
export type Explanation = {
  readonly id: string
  readonly at: number
  readonly from: 'journal' | 'now'
  readonly verdict: Verdict
  /** What the node does: a service is redirected also where its publisher is here, or its earlier version was. */
  readonly redirected: boolean
  /** A runner that failed instead of answering. */
  readonly failure?: string | undefined
  /** where it is parked now */
  readonly parked?: ServiceView['parked']
  /** Where its code came from, or what is missing. */
  readonly code: ServiceCodeView
  /** All verdicts that are kept, newest first; only where they were asked for. */
  readonly history?: readonly PastVerdict[] | undefined
}

export type PastVerdict = {
  readonly at: number
  /** sha256 of the policy that was in force */
  readonly policy: string
  readonly verdict?: Verdict | undefined
  readonly failure?: string | undefined
}

export type PeerView = NetworkPeer & { readonly address: string }

/** What became of bytes handed in through the API. */
export type Received =
  | { readonly outcome: 'new' | 'known' | 'better'; readonly id: string }
  | { readonly outcome: 'refused'; readonly reason: string; readonly retry: boolean }

export type Health = {
  readonly ok: boolean
  readonly version: string
  readonly network: string
  readonly peerId: string
  readonly address: string
  readonly peers: number
  readonly services: number
  readonly running: number
  /** `ownOnly`: it takes services of the node's own address only */
  readonly executors: readonly { name: string; available: boolean; detail: string; ownOnly?: boolean | undefined }[]
  readonly statements: StatementCounts
  /** only where this node is a hub that watches */
  readonly hub?: HubCounts | undefined
  /** only while it is drained */
  readonly drain?: Pick<DrainView, 'since' | 'deadline' | 'done'> | undefined
  /** only while it is paused: it begins no new run */
  readonly paused?: PauseView | undefined
  readonly uptimeSeconds: number
}

/**
 * Statements of hubs and roots since the node started. new: of trusted signers, kept. refused: malformed or
 * forged. dropped: out of time, over a quota, not written. `failedLookups`: of the lookups, those in which some record
 * could not be asked for.
 */
export type StatementCounts = {
  readonly new: number
  readonly refused: number
  readonly dropped: number
  readonly lookups: number
  readonly failedLookups: number
}

/** Attestations of this node's hub since it started, and how often it gave none. */
export type HubCounts = {
  readonly safe: number
  readonly unsafe: number
  readonly failed: number
  readonly passedOver: number
}

/** What runners get to know of this node, the policy in force included. */
export type PolicyFacts = { readonly facts: NodeFacts }

/** A whole node. `createNode` makes one; disposing it stops everything that it started, newest first. */
export interface ThundercloudNode extends AsyncDisposable {
  readonly network: string
  readonly peerId: string
  readonly address: string
  readonly events: Events<NodeEvents>
  multiaddrs(): string[]
  health(): Promise<Health>
  peers(): PeerView[]
  /** How other nodes can reach this one, as far as it knows. */
  reachability(): ReachabilityView
  services(): ServiceView[]
  /** What the node knows, page by page, newest first. */
  readonly lists: NodeLists
  /** Grows with each change, over restarts too: answers of one number show one state. */
  asOf(): number
  /** `id` may be a whole id or an unambiguous beginning of one, or `name` where only one author uses it. Throws NotFoundError or InputError. */
  service(id: string): ServiceView
  /** The verdict in force; with `now`, what would be decided now. Nothing is done. */
  explain(id: string, options?: { now?: boolean; history?: boolean }): Promise<Explanation>
  /** What its newest run used over time, or the run that is named. Throws NotFoundError where there is none here. */
  usage(id: string, options?: { run?: string | undefined }): UsageHistoryView
  /** What tasks left. */
  readonly results: NodeResults
  /** The service and the port that are meant. Throws where there are none, or this node may not use the port. */
  portOf(id: string, port: string): { readonly id: string; readonly port: string }
  /** A pipe to a port of a service, here or on another node, as far as this node may use it. */
  connect(id: string, port: string, options?: { signal?: AbortSignal | undefined }): Promise<BytePipe>
  logs(id: string, options: { tail: number; follow: boolean; signal?: AbortSignal | undefined }): AsyncIterable<LogLine>
  /**
   * An announcement (dag-cbor). From anyone, it is decided like one that came by gossip. `asPublisher` (the operator):
   * it is announced from here with its full depth, and receipts for it are kept. Then throws InputError where it is malformed.
   */
  receive(announcement: Uint8Array, options?: { asPublisher?: boolean }): Promise<Received>
  /** Asks the nodes that may know a service what they do with it now. Answers that take over four seconds are left out. */
  ask(id: string, options?: { signal?: AbortSignal | undefined }): Promise<ReceiptView[]>
  /** Signs an unsigned manifest with the node's own key and announces it. `code` is in the node's store already or in `sources`. */
  publishManifest(manifest: unknown): Promise<{ id: string; seq: number }>
  /** What the code store holds, and who needs it. */
  readonly code: NodeCode
  /** Pools, in which services of one owner run side by side. */
  readonly pools: Pools
  /** Takes a canonical tar into the store and serves it to the mesh. Throws InputError where it is not canonical. */
  addArchive(tar: AsyncIterable<Uint8Array>): Promise<{ code: string; size: number }>
  /**
   * Stops a service. Its author's node (same key) signs a stop for the whole mesh; any other operator's stop is local,
   * journalled, and not undone by a restart.
   */
  stop(id: string): Promise<{ scope: 'mesh' | 'local' }>
  /**
   * Takes the node out of service for maintenance: it takes no new service, each run ends once other nodes run it, tasks
   * are waited for, and what runs at the deadline is stopped. Journalled: it lasts until `undrain`, over restarts.
   */
  drain(options?: DrainOptions): DrainView
  /** The node takes services again; false where it was not drained. */
  undrain(): boolean
  /** How far the drain is; undefined where there is none. */
  drainView(): DrainView | undefined
  /** Begins no new run until it ends; what runs goes on. Journalled: it lasts over restarts. */
  readonly pause: Pause
  /** Authors, codes and peers that the operator has blocked, beside the policy. Journalled. */
  readonly blocks: Pick<Blocks, 'add' | 'remove' | 'list'>
  /**
   * A hub statement or delegation (its encoded bytes). From anyone, it is taken in like one that came by gossip.
   * `asPublisher` (the operator): it is kept, sent to the mesh and put into its records, and again until it expires.
   * Throws an InputError where it is malformed, forged, out of time or older than the one in force.
   */
  submitStatement(
    encoded: Uint8Array,
    options?: { asPublisher?: boolean; signal?: AbortSignal | undefined },
  ): Promise<{ outcome: 'new' | 'known' | 'older' | 'untrusted' | 'dropped'; id: string }>
  /** Statements that are kept here, newest first. */
  statements(filter?: StatementFilter): StatementView[]
  /** Asks the mesh's records what the trusted hubs and the trust tree say of a code and an author, now; then answers as `statements`. */
  lookUpStatements(
    filter: { code?: string; address?: string },
    options?: { signal?: AbortSignal | undefined },
  ): Promise<StatementView[]>
  /** The trust tree; with an address, why it is in or out. Throws an InputError if it is not an address. */
  trustTree(address?: string): TrustTree
  /** The policy in force, and what its rules said since the node started. */
  policy(): PolicyView & PolicyFacts
  /** Reads policy and services again; nothing changes when they are wrong (throws InputError). */
  reload(): Promise<void>
  /**
   * What would change among everything that is live here if this were the runner's config.json (its text). Nothing is
   * done. Throws an InputError where it is wrong, or the runner cannot be loaded with it.
   */
  previewPolicy(text: string, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /** The same for a statement (its encoded bytes) that is not published yet, as if it were in force. Throws an InputError if it cannot be. */
  previewStatement(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /**
   * Puts this text in the place of the runner's config.json, which is kept as config.json.previous, and in force:
   * answers what changed at once; what is refused or redirected is decided again in the background. Where it cannot be put in force, the file is as it was, and it throws.
   * `replaces`: the sha256 of the text that it was made from; throws a ConflictError where the file says something else by now.
   */
  applyPolicy(text: string, options?: ApplyOptions): Promise<Applied>
  /** The runner's config.json as it is on the disk, and the one before it, where that is kept. */
  policyText(): Promise<PolicyText>
  /** Policies that were put in force, with their texts and who did it. */
  readonly policyHistory: Pick<PolicyHistory, 'list' | 'get'>
}

export type NodeComponents = {
  clock: Clock
  rng: Rng
  log: Log
  /** Several nodes in one process may share these; a node makes its own where they are missing. */
  runnerHost?: RunnerHost | undefined
  keys?: KeyCache | undefined
  /** What is not the machine's that it is on. */
  platform?: Partial<Platform> | undefined
}

export type NodeInit = {
  configuration: Configuration
  identity: Identity
  /** the package's version, for people */
  version: string
  /** Reads the operator's folder again; throws an InputError, and then nothing changes. */
  reread?: (() => Promise<Configuration>) | undefined
  /** What downloads take from the package managers of this machine beside addresses: credentials, authorities. */
  clientAccess?: ClientAccessReader | undefined
  /** Ends the runs when the node is closed; by default they go on and the next start adopts them. */
  stopRunsOnClose?: boolean | undefined
  /** false: nothing is provided to or found in a DHT; for meshes with an exact shape. */
  dht?: boolean | undefined
  /** It is also a hub: it scans the code of the services that it receives, and signs the result. */
  hub?: HubSettings | undefined
  /** Bounds of the network that a test switches off, to see that they are what holds. */
  without?: readonly Defence[] | undefined
}
