import type {
  Applied,
  DrainView,
  Explanation,
  Health,
  LogLine,
  PauseView,
  PeerView,
  PolicyFacts,
  PolicyView,
  Preview,
  ReachabilityView,
  ReceiptView,
  ServiceView,
  StatementFilter,
  StatementView,
  TrustTree,
  UsageHistoryView,
} from '../../node/types.ts'
import type { ResultsView } from '../../results/index.ts'
import { drainSchema, drainViewSchema, undrainedSchema } from '../schemas/drain.ts'
import { pauseSchema, resumedSchema } from '../schemas/operator-orders.ts'
import { appliedSchema, policyViewSchema, previewSchema } from '../schemas/policy.ts'
import { resultsViewSchema } from '../schemas/results.ts'
import {
  type SubmittedStatement,
  statementsSchema,
  submittedStatementSchema,
  trustTreeSchema,
} from '../schemas/trust.ts'
import { usageHistorySchema } from '../schemas/usage.ts'
import {
  archiveAddedSchema,
  explanationSchema,
  healthSchema,
  logLineSchema,
  type NodeInfo,
  nodeInfoSchema,
  peersSchema,
  receiptsSchema,
  reloadedSchema,
  type Submitted,
  serviceViewSchema,
  stoppedSchema,
  submittedSchema,
} from '../schemas/views.ts'
import type { Shape } from '../shape.ts'
import { type AccessClient, createAccessClient } from './access-client.ts'
import { type AlertsClient, createAlertsClient } from './alerts-client.ts'
import { type BlocksClient, createBlocksClient } from './blocks-client.ts'
import { type CodeClient, createCodeClient } from './code-client.ts'
import { createListsClient, type ListsClient } from './lists-client.ts'
import { createPolicyHistoryClient, type PolicyHistoryClient } from './policy-history-client.ts'
import { createPoolsClient, type PoolsClient } from './pools-client.ts'
import { type ApiClientInit, createRestClient, queryOf } from './rest-client.ts'
import { createSessionsClient, type SessionsClient } from './sessions-client.ts'
import { createTunnelsClient, type TunnelsClient } from './tunnels-client.ts'

export type { ApiClientInit } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** `asOf`: answers with this number or a higher one show what it tells. */
export type NodeEvent = {
  readonly id: string | undefined
  readonly name: string
  readonly detail: unknown
  readonly asOf: number
}

/** A node's HTTP API, as its own classes of errors and its own types. */
export interface ApiClient {
  readonly url: string
  readonly code: CodeClient
  readonly pools: PoolsClient
  readonly sessions: SessionsClient
  readonly tunnels: TunnelsClient
  readonly access: AccessClient
  readonly blocks: BlocksClient
  readonly alerts: AlertsClient
  readonly policyHistory: PolicyHistoryClient
  health(options?: AbortOptions): Promise<Health>
  node(options?: AbortOptions): Promise<NodeInfo>
  /** All of them, page by page. */
  services(options?: AbortOptions): Promise<ServiceView[]>
  readonly lists: ListsClient
  /** `id`: an id, an unambiguous beginning of one, or a name. */
  service(id: string, options?: AbortOptions): Promise<ServiceView>
  /** `now`: what would be decided now, instead of the verdict in force; `history`: also the verdicts before. */
  explain(id: string, options?: { now?: boolean; history?: boolean } & AbortOptions): Promise<Explanation>
  logs(id: string, options: { tail: number; follow: boolean } & AbortOptions): AsyncIterable<LogLine>
  /** What its newest run there used over time, or the run that is named. Throws NotFoundError. */
  usage(id: string, options?: { run?: string | undefined } & AbortOptions): Promise<UsageHistoryView>
  /** What a task left there. Throws NotFoundError where it left nothing there. */
  results(id: string, options?: AbortOptions): Promise<ResultsView>
  /** The same as a canonical tar. Throws NotFoundError where none is kept. */
  resultsArchive(id: string, options?: AbortOptions): AsyncIterable<Uint8Array>
  /** `only`: names, or beginnings that end in ":". Ends when the node does. */
  events(options?: { only?: readonly string[] } & AbortOptions): AsyncIterable<NodeEvent>
  /** Hands in an announcement (dag-cbor). */
  announce(announcement: Uint8Array, options?: AbortOptions): Promise<Submitted>
  /** Has the node sign a manifest with its own key. */
  publishManifest(manifest: object, options?: AbortOptions): Promise<Submitted>
  /** Uploads a canonical tar. */
  addArchive(tar: AsyncIterable<Uint8Array>, options?: AbortOptions): Promise<{ code: string; size: number }>
  /** Has the node ask others what they do with a service now. */
  ask(id: string, options?: AbortOptions): Promise<ReceiptView[]>
  stop(id: string, options?: AbortOptions): Promise<{ scope: 'mesh' | 'local' }>
  reload(options?: AbortOptions): Promise<void>
  /** `deadlineSeconds`: null = none; missing = as before, or an hour. */
  drain(options?: { deadlineSeconds?: number | null | undefined } & AbortOptions): Promise<DrainView>
  undrain(options?: AbortOptions): Promise<{ undrained: boolean }>
  drainView(options?: AbortOptions): Promise<{ drain?: DrainView | undefined }>
  pause(options?: AbortOptions): Promise<{ paused?: PauseView | undefined }>
  resume(options?: AbortOptions): Promise<{ resumed: boolean }>
  peers(options?: AbortOptions): Promise<PeerView[]>
  /** How other nodes can reach it, as far as it knows. */
  reachability(options?: AbortOptions): Promise<ReachabilityView>
  policy(options?: AbortOptions): Promise<PolicyView & PolicyFacts>
  /** `text`: the content of a config.json. What would change among everything that is live there; nothing is done. */
  previewPolicy(text: string, options?: AbortOptions): Promise<Preview>
  /** Puts it in force in the node's folder too, and answers what changed. */
  applyPolicy(text: string, options?: AbortOptions): Promise<Applied>
  /** Hands in a hub statement or a delegation (its encoded bytes). With a token, the node publishes it until it expires. */
  submitStatement(encoded: Uint8Array, options?: AbortOptions): Promise<SubmittedStatement>
  /** What would change among everything that is live there if this statement were in force; nothing is changed. */
  previewStatement(encoded: Uint8Array, options?: AbortOptions): Promise<Preview>
  /** Statements that the node keeps, newest first; with `lookup`, asks the mesh about code and address first. */
  statements(filter?: StatementFilter, options?: { lookup?: boolean } & AbortOptions): Promise<StatementView[]>
  /** Whom the operator's roots vouch for; with an address, why it is in or out. */
  trust(address?: string, options?: AbortOptions): Promise<TrustTree>
}

/** A candidate's runner is loaded, and asked about every service that is live. */
const POLICY_TIMEOUT_MS = 120_000

export function createApiClient(init: ApiClientInit): ApiClient {
  const rest = createRestClient(init)
  const lists = createListsClient(rest)
  const { ask, stream, download, parse } = rest
  const at = (id: string, rest = '') => `/service/${encodeURIComponent(id)}${rest}`
  const FOREVER_MS = 2 ** 31 - 1
  return {
    url: init.url,
    code: createCodeClient(rest),
    pools: createPoolsClient(rest),
    sessions: createSessionsClient(rest),
    tunnels: createTunnelsClient(rest),
    access: createAccessClient(rest),
    blocks: createBlocksClient(rest),
    alerts: createAlertsClient(rest),
    policyHistory: createPolicyHistoryClient(rest, POLICY_TIMEOUT_MS),
    // a node that is not well says so with 503 and the same body, which is an answer
    health: (options) => ask(healthSchema, '/health', { ...options, accept: 503 }),
    node: (options) => ask(nodeInfoSchema, '/node', { ...options }),
    async services(options) {
      return await Array.fromAsync(lists.allServices(options))
    },
    lists,
    service: (id, options) => ask(serviceViewSchema, at(id), { ...options }),
    explain: (id, { now = false, history = false, signal } = {}) =>
      ask(explanationSchema, at(id, `/explain?now=${now}&history=${history}`), { signal }),
    async *logs(id, { tail, follow, signal }) {
      for await (const { event, data } of stream(at(id, `/logs?tail=${tail}&follow=${follow}`), { signal })) {
        if (event === 'log') yield parse(logLineSchema, data)
      }
    },
    usage: (id, { run, signal } = {}) => ask(usageHistorySchema, at(id, `/usage${queryOf({ run })}`), { signal }),
    results: (id, options) => ask(resultsViewSchema, at(id, '/results'), { ...options }),
    resultsArchive: (id, options = {}) => download(at(id, '/results/archive'), options),
    async *events({ only = [], signal } = {}) {
      const query = only.length === 0 ? '' : `?only=${encodeURIComponent(only.join(','))}`
      for await (const { event, data, id } of stream(`/events${query}`, { signal })) {
        if (event === 'open') continue
        const { asOf, ...detail } = JSON.parse(data) as { asOf: number }
        yield { id, name: event, detail, asOf }
      }
    },
    announce: (bytes, options) =>
      ask(submittedSchema, '/service', {
        ...options,
        method: 'POST',
        body: bytes,
        type: 'application/vnd.ipld.dag-cbor',
      }),
    publishManifest: (manifest, options) =>
      ask(submittedSchema, '/service', {
        ...options,
        method: 'POST',
        body: JSON.stringify(manifest),
        type: 'application/json',
      }),
    addArchive: (tar, options) =>
      ask(
        archiveAddedSchema,
        '/archive',
        { ...options, method: 'POST', body: tar, type: 'application/x-tar' },
        FOREVER_MS,
      ),
    ask: async (id, options) => (await ask(receiptsSchema, at(id, '/ask'), { ...options, method: 'POST' })).receipts,
    stop: (id, options) => ask(stoppedSchema, at(id, '/stop'), { ...options, method: 'POST' }),
    async reload(options) {
      await ask(reloadedSchema, '/reload', { ...options, method: 'POST' })
    },
    drain: ({ deadlineSeconds, signal } = {}) =>
      ask(drainViewSchema, `/drain${queryOf({ deadline: deadlineText(deadlineSeconds) })}`, { method: 'POST', signal }),
    undrain: (options) => ask(undrainedSchema, '/undrain', { ...options, method: 'POST' }),
    drainView: (options) => ask(drainSchema, '/drain', { ...options }),
    pause: (options) => ask(pauseSchema, '/pause', { ...options, method: 'POST' }),
    resume: (options) => ask(resumedSchema, '/resume', { ...options, method: 'POST' }),
    peers: async (options) => (await ask(peersSchema, '/peers', { ...options })).peers,
    reachability: async (options) => (await ask(peersSchema, '/peers', { ...options })).reachability,
    policy: (options) => ask(policyViewSchema, '/policy', { ...options }),
    previewPolicy: (text, options) => sendPolicy('/policy/preview', previewSchema, text, options),
    applyPolicy: (text, options) => sendPolicy('/policy', appliedSchema, text, options),
    submitStatement: (encoded, options) =>
      ask(submittedStatementSchema, '/statement', {
        ...options,
        method: 'POST',
        body: encoded,
        type: 'application/vnd.ipld.dag-cbor',
      }),
    previewStatement: (encoded, options) =>
      ask(
        previewSchema,
        '/statement/preview',
        { ...options, method: 'POST', body: encoded, type: 'application/vnd.ipld.dag-cbor' },
        POLICY_TIMEOUT_MS,
      ),
    async statements(filter = {}, { lookup = false, ...options } = {}) {
      const query = queryOf({ ...filter, lookup: lookup ? '1' : undefined })
      return (await ask(statementsSchema, `/statements${query}`, options)).statements
    },
    trust: (address, options) => ask(trustTreeSchema, `/trust${queryOf({ address })}`, { ...options }),
  }

  function sendPolicy<T>(path: string, schema: Shape<T>, body: string, options: AbortOptions = {}): Promise<T> {
    const call = { ...options, method: 'POST', body, type: 'application/json' } as const
    return ask(schema, path, call, POLICY_TIMEOUT_MS)
  }
}

function deadlineText(seconds: number | null | undefined): string | undefined {
  return seconds === null ? 'none' : seconds?.toString()
}
