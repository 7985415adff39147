import { MAX_REQUEST_BYTES } from '../../../protocols/limits.ts'
import { RECEIPT_PROTOCOL } from '../../../protocols/receipt.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { RESULTS_PROTOCOL } from '../../../protocols/streams/results.ts'
import { STATUS_PROTOCOL } from '../../../protocols/streams/status.ts'
import { TUNNEL_PROTOCOL } from '../../../protocols/streams/tunnel.ts'
import type { Clock } from '../../base/clock.ts'
import type { Events } from '../../base/events.ts'
import type { Code } from '../../code/index.ts'
import type { Supervisor } from '../../execution/index.ts'
import { type Network, serveTunnel } from '../../network/index.ts'
import { createResultsServer, RESULTS_STREAMS, type Results } from '../../results/index.ts'
import { receiptContentOf } from '../../services/receipt-content.ts'
import type { Receipts } from '../../services/receipts.ts'
import type { Services } from '../../services/registry.ts'
import type { NodeEvents } from '../events.ts'
import type { ThundercloudNode } from '../types.ts'
import { createStatusServer } from './status.ts'
import { createTunnelServer } from './tunnel.ts'

/** Idle time of a tunnel or a followed log. Other streams have the default of the network. */
const QUIET_MS = 6 * 3600 * 1000

export interface StreamHandlersComponents {
  clock: Clock
  keys: KeyCache
  events: Events<NodeEvents>
  network: Pick<Network, 'streams'>
  services: Services
  receipts: Receipts
  code: Pick<Code, 'serve'>
  supervisor: Pick<Supervisor, 'connect' | 'granted'>
  logs: ThundercloudNode['logs']
  results: Pick<Results, 'get' | 'open'>
  /** Does the peer claim a run of the service, as it answers now? */
  isSibling(service: string, peer: string): Promise<boolean>
  /** A peer has asked what this node does with a service. */
  onAsked(service: string, peer: string): void
}

/** What this node answers to other peers: code, receipts, what it does with a service, tunnels to its ports. */
export async function serveStreams(components: StreamHandlersComponents, init: { network: string }): Promise<void> {
  const { clock, keys, events, network, services, receipts, code, supervisor, logs, results, onAsked, isSibling } =
    components
  const { streams } = network
  await streams.handle(ARCHIVE_PROTOCOL, (stream, { signal }) => code.serve(stream, { signal }), {
    maxMessageBytes: MAX_REQUEST_BYTES,
  })
  await streams.handle(RECEIPT_PROTOCOL, (stream, { signal }) => receipts.take(stream, { signal }))
  await streams.handle(STATUS_PROTOCOL, createStatusServer({ clock, keys, services, receipts, logs, onAsked }, init), {
    idleMs: QUIET_MS,
  })
  const resultsServer = createResultsServer(
    {
      ...{ clock, keys, results },
      authorOf: (id) => services.get(id)?.signed.body.author,
      receipt(id, reason) {
        const { reasons, ...content } = receiptContentOf(services, id)
        return receipts.sign({ ...content, state: 'done', reasons: [reason, ...reasons] })
      },
    },
    init,
  )
  await streams.handle(RESULTS_PROTOCOL, resultsServer, { maxMessageBytes: MAX_REQUEST_BYTES, ...RESULTS_STREAMS })
  const connect: Supervisor['connect'] = (id, port, options) => supervisor.connect(id, port, options)
  const runs = (id: string) => supervisor.granted().some(({ service }) => service === id)
  const tunnels = createTunnelServer(
    { ...{ clock, keys, services, events, connect, runs, isSibling }, carry: serveTunnel },
    init,
  )
  await streams.handle(TUNNEL_PROTOCOL, tunnels, { idleMs: QUIET_MS })
}
