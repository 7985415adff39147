import type { RECEIPT_STATES } from '../../../protocols/receipt.ts'
import type { RunUsage, UsageTotals } from '../../base/run-usage.ts'
import type {
  Explanation,
  Health,
  LogLine,
  PeerView,
  ReachabilityView,
  ReceiptView,
  RunView,
  ServiceState,
  ServiceView,
} from '../../node/types.ts'
import type { Problem } from '../problem.ts'
import { array, boolean, everyOne, object, oneOf, type Shape, string } from '../shape.ts'
import { serviceCodeSchema } from './service-code.ts'
import { count, networkSchema, parkedSchema, reasonSchema, verdictSchema } from './verdict.ts'

/**
 * What the API answers. The server's description of itself and the client's check of what came are the same schemas;
 * the types are the node's own, so that neither can drift.
 */

export const serviceState = everyOne<ServiceState>({
  published: true,
  deciding: true,
  refused: true,
  redirected: true,
  parked: true,
  accepted: true,
  running: true,
  done: true,
  failed: true,
  stopped: true,
  expired: true,
})

export const runState = everyOne<RunView['state']>({
  decided: true,
  fetching: true,
  building: true,
  starting: true,
  running: true,
  exited: true,
  failed: true,
  stopped: true,
  refused: true,
})

export const healthSchema: Shape<Health> = object({
  ok: boolean,
  version: string,
  network: string,
  peerId: string,
  address: string,
  peers: count,
  services: count,
  running: count,
  executors: array(object({ name: string, available: boolean, detail: string, ownOnly: boolean.optional() })),
  statements: object({ new: count, refused: count, dropped: count, lookups: count, failedLookups: count }),
  hub: object({ safe: count, unsafe: count, failed: count, passedOver: count }).optional(),
  drain: object<NonNullable<Health['drain']>>({ since: count, deadline: count.optional(), done: boolean }).optional(),
  paused: object({ since: count }).optional(),
  uptimeSeconds: count,
})

/** A node's identity, and where it can be dialled. Open to anyone: it is how a mesh is joined through an HTTP origin. */
export type NodeInfo = {
  readonly peerId: string
  readonly address: string
  readonly network: string
  readonly version: string
  readonly multiaddrs: readonly string[]
}

export const nodeInfoSchema: Shape<NodeInfo> = object({
  peerId: string,
  address: string,
  network: string,
  version: string,
  multiaddrs: array(string),
})

export const receiptFields = {
  node: string,
  peerId: string,
  state: string as Shape<(typeof RECEIPT_STATES)[number] | (string & {})>,
  redirected: boolean,
  reasons: array(reasonSchema),
  at: count,
}
const receiptViewSchema: Shape<ReceiptView> = object(receiptFields)

const usageTotals = { runningMs: count, cpuMs: count, receivedBytes: count, sentBytes: count }

const runViewSchema: Shape<RunView> = object({
  runId: string,
  executor: string,
  state: runState,
  healthy: boolean.optional(),
  since: count,
  exitCode: count.optional(),
  detail: string.optional(),
  restarts: count,
  usage: object<RunUsage>({
    ...usageTotals,
    ...{ memoryBytes: count, diskBytes: count, at: count },
    period: object<UsageTotals>(usageTotals),
  }).optional(),
  cost: object<NonNullable<RunView['cost']>>({ asked: string, offered: string }).optional(),
  network: networkSchema,
})

export const serviceViewSchema: Shape<ServiceView> = object({
  id: string,
  author: string,
  name: string,
  seq: count,
  title: string,
  desc: string,
  code: string,
  kind: oneOf('task', 'service'),
  replicas: count,
  ports: array(object({ name: string, port: count, access: oneOf('author', 'siblings', 'any') })),
  issued: count,
  expires: count,
  receivedAt: count,
  via: everyOne<ServiceView['via']>({ gossip: true, sync: true, api: true, local: true }),
  depth: count,
  state: serviceState,
  redirected: boolean,
  supersededBy: string.optional(),
  stoppedBy: string.optional(),
  run: runViewSchema.optional(),
  parked: parkedSchema.optional(),
  placement: string.optional(),
  receipts: array(receiptViewSchema),
})

export const explanationSchema: Shape<Explanation> = object({
  id: string,
  at: count,
  from: everyOne<Explanation['from']>({ journal: true, now: true }),
  verdict: verdictSchema,
  redirected: boolean,
  failure: string.optional(),
  parked: parkedSchema.optional(),
  code: serviceCodeSchema,
  history: array(
    object({ at: count, policy: string, verdict: verdictSchema.optional(), failure: string.optional() }),
  ).optional(),
})

export const peerViewSchema: Shape<PeerView> = object({
  peerId: string,
  address: string,
  multiaddr: string,
  direction: oneOf('inbound', 'outbound'),
  connectedAt: count,
  score: count,
  static: boolean,
  mesh: boolean,
  relayed: boolean,
  rttMs: count.optional(),
})

const reachabilityViewSchema: Shape<ReachabilityView> = object({
  state: everyOne<ReachabilityView['state']>({ direct: true, relayed: true, none: true, unknown: true }),
  because: string,
  advice: string.optional(),
  relays: array(string),
  relaying: object<NonNullable<ReachabilityView['relaying']>>({
    reservations: count,
    circuits: count,
    bytes: count,
  }).optional(),
})

export const logLineSchema: Shape<LogLine> = object({
  stream: everyOne<LogLine['stream']>({ out: true, err: true, node: true }),
  at: count,
  line: string,
})

/** What became of an announcement that the node took. `new` is decided next; `known` and `better` were known before. */
export type Submitted = {
  readonly id: string
  readonly outcome: 'new' | 'known' | 'better'
  readonly seq?: number | undefined
}

export const submittedSchema: Shape<Submitted> = object({
  id: string,
  outcome: oneOf('new', 'known', 'better'),
  seq: count.optional(),
})

export const archiveAddedSchema = object({ code: string, size: count })
export const stoppedSchema = object({ scope: oneOf('mesh', 'local') })
export const reloadedSchema = object({ reloaded: oneOf(true) })
export const receiptsSchema = object({ receipts: array(receiptViewSchema) })
export const peersSchema = object({ peers: array(peerViewSchema), reachability: reachabilityViewSchema })
export const problemSchema: Shape<Problem> = object({
  type: string,
  title: string,
  status: count,
  detail: string,
  code: string,
  fix: string.optional(),
})
