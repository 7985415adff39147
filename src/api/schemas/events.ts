import type { DropReason } from '../../intake/events.ts'
import type { GossipTopic } from '../../network/events.ts'
import type { NodeEvents } from '../../node/events.ts'
import { array, boolean, type JsonSchema, object, oneOf, type Shape, string, union } from '../shape.ts'
import { alert, noticeState } from './alerts.ts'
import { blockKind } from './operator-orders.ts'
import { changeSchema, disposition } from './policy.ts'
import { count, verdictSchema } from './verdict.ts'
import { runState, serviceState } from './views.ts'

const maybe = { text: string.optional(), count: count.optional() }
const none = object<Record<string, never>>({})
const via = oneOf('gossip', 'sync', 'api', 'local')
const statementVia = oneOf('gossip', 'sync', 'record', 'staple', 'api')
const origin = oneOf('local', 'inline', 'mesh', 'git', 'https', 'oci', 'registry')
const topic: Shape<GossipTopic> = oneOf('services', 'statements')
const failure = oneOf('load', 'threw', 'timeout', 'died', 'memory', 'nonsense', 'overreach')
const executor = oneOf('docker', 'host', 'pool', 'swarm')
const wakes = oneOf('capacity', 'executor', 'policy', 'quorum', 'freeze', 'delegation', 'replica')
const service = { id: string, name: string }
const run = { service: string, runId: string }
const hubCode = { code: string, service: string, name: string }
const tunnel = { id: string, port: string, peer: string }
const dropReason: Shape<DropReason> = oneOf(
  ...(['author-services', 'author-rate', 'author-updates', 'peer-authors', 'queue-full', 'waiting-full'] as const),
  ...(['missed-full', 'journal'] as const),
)

/** The payload of each event of a node; the compiler checks that none is missing. */
export const EVENT_SHAPES: { readonly [Name in keyof NodeEvents]: Shape<NodeEvents[Name]> } = {
  'node:started': object({ peerId: string, address: string, multiaddrs: array(string) }),
  'node:stopping': none,
  'node:tunnel-opened': object(tunnel),
  'node:tunnel-refused': object({ ...tunnel, reason: string }),
  'node:policy': object({ hash: string }),
  'node:policy-refused': object({ reason: string }),
  'node:state': object({ ...service, state: serviceState, detail: maybe.text }),
  'node:receipt': object({ id: string, node: string, state: string, redirected: boolean, reasons: array(string) }),
  'node:verdict': object({ ...service, verdict: verdictSchema, failure: maybe.text, tookMs: count }),
  'node:parked': object({ ...service, until: count, on: array(wakes) }),
  'node:woken': object({ ...service, to: disposition, sleptSeconds: count }),
  'node:evicted': object({ ...service, by: string, parked: boolean }),
  'node:redecided': object({ services: count, changes: array(changeSchema), tookMs: count }),
  'node:reconsidered': object({
    ...{ services: count, changed: count, forgotten: count, tookMs: count },
    changes: array(changeSchema),
  }),
  'node:draining': object({ deadline: maybe.count, services: count }),
  'node:drained': object({ cut: array(object(service)) }),
  'node:undrained': none,
  'node:paused': none,
  'node:resumed': none,
  'node:blocked': object({ kind: blockKind, subject: string, until: maybe.count }),
  'node:unblocked': object({ kind: blockKind, subject: string, expired: boolean }),
  'admission:redirect-changed': object({ id: string, redirect: boolean }),
  'facts:capacity-grown': none,
  'facts:executor-available': object({ executor }),
  'code:added': object({ code: string, size: count, from: origin }),
  'code:damaged': object({ code: string, why: string }),
  'code:removed': object({ code: string, why: oneOf('evicted', 'removed', 'damaged') }),
  'code:fetch-started': object({ code: string }),
  'code:fetch-progress': object({ code: string, bytes: count, size: count, providers: count }),
  'code:fetch-finished': object({ code: string, size: count, ms: count, from: origin, source: missing(string) }),
  'code:source-failed': object({
    ...{ code: string, service: missing(string), source: string, problem: string },
    next: missing(string),
  }),
  'code:fetch-failed': object({ code: string, problem: string, retry: boolean }),
  'code:provider-invalid': object({ code: string, peer: string, problem: string }),
  'code:unpacked': object({ code: string, files: count, bytes: count, ms: count }),
  'code:served': object({ peer: string, chunks: count, bytes: count }),
  'execution:state': object({
    ...{ ...run, executor: string, state: runState, at: count, restarts: count },
    ...{ exitCode: maybe.count, detail: maybe.text },
  }),
  'execution:freed': object(run),
  'execution:healthy': object({ ...run, at: count, afterMs: count }),
  'execution:usage': object(run),
  'execution:fetch-progress': object({ ...run, doneBytes: count, totalBytes: count }),
  'execution:executor': object({ executor: string, available: boolean, detail: string }),
  'execution:orphan-removed': object({ executor: string, runId: string, service: string }),
  'hub:examining': object(hubCode),
  'hub:examined': object({
    ...{ ...hubCode, verdict: oneOf('safe', 'unsafe'), severity: maybe.text, findings: array(string) },
    ...{ expires: count, tookMs: count },
  }),
  'hub:failed': object({ ...hubCode, reason: string, failures: count, again: boolean }),
  'hub:passed-over': object({ ...hubCode, why: string }),
  'intake:received': object({
    ...{ id: string, kind: oneOf('service', 'stop'), author: string, name: string, seq: count },
    ...{ via, from: maybe.text, depth: count },
  }),
  'intake:better': object({ id: string, depth: count, from: maybe.text }),
  'intake:emitted': object({ id: string, depth: count, how: oneOf('published', 'forwarded', 'offered') }),
  'intake:superseded': object({ old: string, by: string }),
  'intake:stopped': object({ author: string, name: string, seq: count, ids: array(string) }),
  'intake:refused': object({ via, from: maybe.text, reason: string }),
  'intake:early': object({ via, from: maybe.text, aheadMs: count }),
  'intake:dropped': object({ why: dropReason, via, id: maybe.text, from: maybe.text }),
  'network:listening': object({ multiaddrs: array(string) }),
  'network:peer-connected': object({ peer: string, multiaddr: string, direction: oneOf('inbound', 'outbound') }),
  'network:peer-disconnected': object({ peer: string }),
  'network:dial-failed': object({ target: string, reason: string, attempt: count, retryInMs: count }),
  'network:gossip-arrived': object({
    ...{ topic, from: string, bytes: count },
    answer: oneOf('accept', 'ignore', 'reject', 'dropped'),
  }),
  'network:gossip-published': object({ topic, bytes: count, outcome: oneOf('published', 'seen', 'no-peers') }),
  'network:synced': object({
    ...{ peer: string, listed: count, pulled: count },
    ...{ statementsListed: count, statementsPulled: count },
  }),
  'network:excluded': object({ peer: string, score: count, forMs: count }),
  'network:refused': object({ peer: string, protocol: string, reason: string }),
  'runner:loaded': object({ entry: string, pid: count, loadMs: count, swapped: boolean }),
  'runner:load-failed': object({ entry: string, message: string, keepsOld: boolean }),
  'runner:failed': object({ service: string, kind: failure, message: string }),
  'runner:died': object({ pid: count, kind: failure, message: string, restartInMs: count }),
  'alert:begun': object({ alert, subject: string, summary: string }),
  'alert:cleared': object({ alert, subject: string }),
  'alert:delivered': object({ alert, state: noticeState, attempts: count }),
  'alert:undelivered': object({ alert, state: noticeState, reason: string, attempts: count, again: boolean }),
  'alert:dropped': object({ alert, state: oneOf('begun', 'cleared') }),
  'trust:statement': object({
    ...{ kind: oneOf('attestation', 'freeze', 'delegation'), signer: string, about: string, says: string },
    ...{ seq: count, via: statementVia, from: maybe.text },
  }),
  'trust:changed': union(
    object({ on: oneOf('code'), code: string }),
    object({ on: oneOf('freeze'), address: string, chain: string }),
    object({ on: oneOf('tree') }),
  ),
  'trust:refused': object({ via: statementVia, from: maybe.text, reason: string }),
  'trust:dropped': object({
    ...{ why: oneOf('quota', 'early', 'expired', 'members', 'journal'), via: statementVia },
    from: maybe.text,
  }),
  'trust:looked-up': object({ about: string, found: count, failed: count, tookMs: count }),
}

/** Events that the stream itself has. */
const STREAM_EVENTS: Record<string, JsonSchema> = {
  open: object({ last: string }).schema,
  gap: object({ last: string, reason: string }).schema,
}

/** Every event of the stream by its name; each payload has `asOf` besides. */
export function eventComponents(): Record<string, JsonSchema> {
  const shapes = Object.entries(EVENT_SHAPES).map(([name, { schema }]) => [name, schema] as const)
  return Object.fromEntries(
    [...shapes, ...Object.entries(STREAM_EVENTS)].map(([name, schema]) => [
      name,
      { allOf: [schema, object({ asOf: count }).schema] },
    ]),
  )
}

/** A field that is left out where it is unknown, and is never undefined. */
function missing<T>(shape: Shape<T>): Shape<T> {
  return shape.optional() as Shape<T>
}
