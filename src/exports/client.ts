/**
 * For programs that use a node or a mesh: the client of a node's HTTP API, and a peer for a minute that publishes,
 * asks and opens tunnels without a node of its own.
 *
 * @example
 * const node = createApiClient({ url: 'http://127.0.0.1:4981', token })
 * for (const service of await node.services()) console.log(service.name, service.state)
 *
 * await using peer = await createLightPeer({ network: 'thundercloud', join: ['/ip4/192.0.2.7/tcp/4980/p2p/12D3KooW...'] })
 * const pipe = await peer.connect(service, 'http')
 */
import { systemClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { systemRng } from '../base/rng.ts'
import { createLightPeer as createPeer, type LightPeer, type LightPeerInit } from '../light-peer/light-peer.ts'

export {
  type ApiClient,
  type ApiClientInit,
  ApiError,
  createApiClient,
  NoDaemonError,
  type NodeEvent,
  type NodeInfo,
  type Submitted,
  type SubmittedStatement,
} from '../api/index.ts'
export { AccessError, InputError, NotFoundError, TimeoutError, UnavailableError } from '../base/errors.ts'
export type { Log } from '../base/log.ts'
export type { LightPeer, LightPeerInit } from '../light-peer/light-peer.ts'
export type {
  Change,
  CheckedCode,
  CodeRepairView,
  CodeUsage,
  CodeUse,
  CodeView,
  Disposition,
  Explanation,
  Health,
  LogLine,
  PastPolicy,
  PastPolicyText,
  PastVerdict,
  PeerView,
  PolicyAuthor,
  PolicyFacts,
  PolicyView,
  ReachabilityView,
  ReceiptView,
  RemovedCode,
  RunView,
  ServiceState,
  ServiceView,
  StatementFilter,
  StatementView,
  TreeBranch,
  TrustTree,
  UsageHistoryView,
} from '../node/types.ts'

/** Joins a mesh as a light peer. Dispose it when done: nothing of it stays. */
export function createLightPeer(init: LightPeerInit, options: { log?: Log | undefined } = {}): Promise<LightPeer> {
  return createPeer({ clock: systemClock(), rng: systemRng(), log: options.log ?? silentLog() }, init)
}
