import { z } from 'zod'
import type { RECEIPT_STATES } from '../../protocols/receipt.ts'
import type {
  Explanation,
  Health,
  LogLine,
  PeerView,
  ReceiptView,
  RunView,
  ServiceState,
  ServiceView,
} from '../node/contract.ts'
import { count, everyOne, parkedSchema, reasonSchema, verdictSchema } from './verdict-schemas.ts'

/**
 * What the API answers. The server's description of itself and the client's check of what came are the same schemas;
 * the types are the node's own, so that neither can drift.
 */

const serviceState = everyOne<ServiceState>({
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

const runState = everyOne<RunView['state']>({
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

export const healthSchema: z.ZodType<Health> = z.object({
  ok: z.boolean(),
  version: z.string(),
  network: z.string(),
  peerId: z.string(),
  address: z.string(),
  peers: count,
  services: count,
  running: count,
  executors: z.array(
    z.object({ name: z.string(), available: z.boolean(), detail: z.string(), ownOnly: z.boolean().optional() }),
  ),
  statements: z.object({ new: count, refused: count, dropped: count, lookups: count, failedLookups: count }),
  hub: z.object({ safe: count, unsafe: count, failed: count, passedOver: count }).optional(),
  uptimeSeconds: count,
})

/** Who a node is, and where it can be dialled. Open to anyone: it is how a mesh is joined through an HTTP origin. */
export type NodeInfo = {
  readonly peerId: string
  readonly address: string
  readonly network: string
  readonly version: string
  readonly multiaddrs: readonly string[]
}

export const nodeInfoSchema: z.ZodType<NodeInfo> = z.object({
  peerId: z.string(),
  address: z.string(),
  network: z.string(),
  version: z.string(),
  multiaddrs: z.array(z.string()),
})

const receiptViewSchema: z.ZodType<ReceiptView> = z.object({
  node: z.string(),
  peerId: z.string(),
  state: z.string() as z.ZodType<(typeof RECEIPT_STATES)[number] | (string & {})>,
  redirected: z.boolean(),
  reasons: z.array(reasonSchema),
  at: count,
})

const runViewSchema: z.ZodType<RunView> = z.object({
  runId: z.string(),
  executor: z.string(),
  state: runState,
  since: count,
  exitCode: count.optional(),
  detail: z.string().optional(),
  restarts: count,
})

export const serviceViewSchema: z.ZodType<ServiceView> = z.object({
  id: z.string(),
  author: z.string(),
  name: z.string(),
  seq: count,
  title: z.string(),
  desc: z.string(),
  code: z.string(),
  kind: z.enum(['task', 'service']),
  replicas: count,
  ports: z.array(z.object({ name: z.string(), port: count, access: z.enum(['author', 'any']) })),
  issued: count,
  expires: count,
  receivedAt: count,
  via: everyOne<ServiceView['via']>({ gossip: true, sync: true, api: true, local: true }),
  depth: count,
  state: serviceState,
  redirected: z.boolean(),
  supersededBy: z.string().optional(),
  run: runViewSchema.optional(),
  parked: parkedSchema.optional(),
  receipts: z.array(receiptViewSchema),
})

export const explanationSchema: z.ZodType<Explanation> = z.object({
  id: z.string(),
  at: count,
  from: everyOne<Explanation['from']>({ journal: true, now: true }),
  verdict: verdictSchema,
  failure: z.string().optional(),
  parked: parkedSchema.optional(),
  history: z
    .array(
      z.object({ at: count, policy: z.string(), verdict: verdictSchema.optional(), failure: z.string().optional() }),
    )
    .optional(),
})

export const peerViewSchema: z.ZodType<PeerView> = z.object({
  peerId: z.string(),
  address: z.string(),
  multiaddr: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  connectedAt: count,
  score: count,
  static: z.boolean(),
})

export const logLineSchema: z.ZodType<LogLine> = z.object({
  stream: everyOne<LogLine['stream']>({ out: true, err: true, node: true }),
  at: count,
  line: z.string(),
})

/** What became of an announcement that the node took. `new` is decided next; `known` and `better` were heard of before. */
export type Submitted = {
  readonly id: string
  readonly outcome: 'new' | 'known' | 'better'
  readonly seq?: number | undefined
}

export const submittedSchema: z.ZodType<Submitted> = z.object({
  id: z.string(),
  outcome: z.enum(['new', 'known', 'better']),
  seq: count.optional(),
})

export const archiveAddedSchema = z.object({ code: z.string(), size: count })
export const stoppedSchema = z.object({ scope: z.enum(['mesh', 'local']) })
export const reloadedSchema = z.object({ reloaded: z.literal(true) })
export const servicesSchema = z.object({ services: z.array(serviceViewSchema) })
export const receiptsSchema = z.object({ receipts: z.array(receiptViewSchema) })
export const peersSchema = z.object({ peers: z.array(peerViewSchema) })
export const problemSchema = z.object({ error: z.string() })
