import { type Clock, deadline, systemClock } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type {
  Applied,
  Explanation,
  Health,
  LogLine,
  PeerView,
  PolicyFacts,
  PolicyView,
  Preview,
  ReceiptView,
  ServiceView,
  StatementFilter,
  StatementView,
  TrustTree,
} from '../../node/types.ts'
import { appliedSchema, policyViewSchema, previewSchema } from '../schemas/policy.ts'
import {
  type SubmittedStatement,
  statementsSchema,
  submittedStatementSchema,
  trustTreeSchema,
} from '../schemas/trust.ts'
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
  servicesSchema,
  serviceViewSchema,
  stoppedSchema,
  submittedSchema,
} from '../schemas/views.ts'
import type { Shape } from '../shape.ts'
import { ApiError, errorOfStatus, NoDaemonError } from './errors.ts'
import { readEventStream, type SseEvent } from './sse-reader.ts'
import { type Answer, send } from './transport.ts'

export type ApiClientInit = {
  /** the API's origin, like "http://127.0.0.1:4981" */
  readonly url: string
  /** the unix socket on which it answers its operator, instead of the origin; needs no token */
  readonly socketPath?: string | undefined
  /** content of `api.token`; without it only the open routes answer */
  readonly token?: string | undefined
  /** what to do when there is no answer: the end of that sentence */
  readonly advice?: string | undefined
  /** default: the system's */
  readonly clock?: Clock | undefined
  /** for one answer; streams and uploads take as long as they take */
  readonly timeoutMs?: number | undefined
}

type AbortOptions = { signal?: AbortSignal | undefined }

export type NodeEvent = { readonly id: string | undefined; readonly name: string; readonly detail: unknown }

/** A node's HTTP API, as its own classes of errors and its own types. */
export interface ApiClient {
  readonly url: string
  health(options?: AbortOptions): Promise<Health>
  node(options?: AbortOptions): Promise<NodeInfo>
  services(options?: AbortOptions): Promise<ServiceView[]>
  /** `id`: an id, an unambiguous beginning of one, or a name. */
  service(id: string, options?: AbortOptions): Promise<ServiceView>
  /** `now`: what would be decided now, instead of the verdict in force; `history`: also the verdicts before. */
  explain(id: string, options?: { now?: boolean; history?: boolean } & AbortOptions): Promise<Explanation>
  logs(id: string, options: { tail: number; follow: boolean } & AbortOptions): AsyncIterable<LogLine>
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
  peers(options?: AbortOptions): Promise<PeerView[]>
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

/** A node that is busy answers within seconds; one that does not is stuck. */
const DEFAULT_TIMEOUT_MS = 15_000

type Call = {
  method?: 'GET' | 'POST'
  body?: Uint8Array | string | AsyncIterable<Uint8Array>
  type?: string
  /** a status that brings an answer although it is no success */
  accept?: number
  signal?: AbortSignal | undefined
}

export function createApiClient(init: ApiClientInit): ApiClient {
  const { url, token, advice, clock = systemClock(), timeoutMs = DEFAULT_TIMEOUT_MS } = init
  const where = init.socketPath ?? url

  async function call(path: string, { method = 'GET', body, type, accept, signal }: Call): Promise<Answer> {
    const headers = {
      // a socket needs none: only the operator can open it
      ...(token === undefined || init.socketPath !== undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
    }
    let answer: Answer
    try {
      answer = await send(init, { method, path, headers, body, signal })
    } catch (error) {
      signal?.throwIfAborted()
      const what = `no node answers at ${where} (${sanitizeText(messageOf(error), 120)})`
      throw new NoDaemonError(advice === undefined ? what : `${what}; ${advice}`, { cause: error })
    }
    if ((answer.status >= 200 && answer.status < 300) || answer.status === accept) return answer
    throw errorOfStatus(answer.status, await problemText(answer))
  }

  async function ask<T>(
    schema: Shape<T>,
    path: string,
    { signal, ...rest }: Call = {},
    limitMs = timeoutMs,
  ): Promise<T> {
    using patience = deadline(clock, limitMs, new TimeoutError(`the node at ${where} did not answer in time`), signal)
    const answer = await call(path, { ...rest, signal: patience.signal })
    try {
      return parse(schema, await textOf(answer))
    } catch (error) {
      patience.signal.throwIfAborted()
      if (error instanceof ApiError) throw error
      throw new NoDaemonError(`the connection to ${where} broke off`, { cause: error })
    }
  }

  /** The events of a stream; an `error` event is thrown. */
  async function* stream(path: string, signal: AbortSignal | undefined): AsyncGenerator<SseEvent> {
    const answer = await call(path, { signal })
    try {
      for await (const event of readEventStream(answer.body)) {
        if (event.event === 'error') throw new ApiError(sanitizeText(textIn(event.data), 500))
        yield event
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ApiError) throw error
      throw new NoDaemonError(`the connection to ${where} broke off`, { cause: error })
    }
  }

  const at = (id: string, rest = '') => `/service/${encodeURIComponent(id)}${rest}`
  const FOREVER_MS = 2 ** 31 - 1
  return {
    url,
    // a node that is not well says so with 503 and the same body, which is an answer
    health: (options) => ask(healthSchema, '/health', { ...options, accept: 503 }),
    node: (options) => ask(nodeInfoSchema, '/node', { ...options }),
    services: async (options) => (await ask(servicesSchema, '/services', { ...options })).services,
    service: (id, options) => ask(serviceViewSchema, at(id), { ...options }),
    explain: (id, { now = false, history = false, signal } = {}) =>
      ask(explanationSchema, at(id, `/explain?now=${now}&history=${history}`), { signal }),
    async *logs(id, { tail, follow, signal }) {
      for await (const { event, data } of stream(at(id, `/logs?tail=${tail}&follow=${follow}`), signal)) {
        if (event === 'log') yield parse(logLineSchema, data)
      }
    },
    async *events({ only = [], signal } = {}) {
      const query = only.length === 0 ? '' : `?only=${encodeURIComponent(only.join(','))}`
      for await (const { event, data, id } of stream(`/events${query}`, signal)) {
        yield { id, name: event, detail: JSON.parse(data) as unknown }
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
    peers: async (options) => (await ask(peersSchema, '/peers', { ...options })).peers,
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

  function parse<T>(schema: Shape<T>, text: string): T {
    try {
      return schema.read(JSON.parse(text))
    } catch (cause) {
      throw new ApiError(`the answer of ${where} is not what this version understands`, { cause })
    }
  }
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

async function textOf({ body }: Answer): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of body) text += decoder.decode(piece, { stream: true })
  return text + decoder.decode()
}

async function problemText(answer: Answer): Promise<string> {
  const text = await textOf(answer).catch(() => '')
  return sanitizeText(textIn(text), 500) || `the node answered with HTTP ${answer.status}`
}

/** `{ "error": "..." }`, or nothing where it is something else. */
function textIn(json: string): string {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && 'error' in value ? String(value.error) : ''
  } catch {
    return ''
  }
}
