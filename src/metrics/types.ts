import type { prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { Events } from '../base/events.ts'
import type { NodeEvents } from '../node/events.ts'
import type { Health, ThundercloudNode } from '../node/types.ts'

/** What a node says of itself to those who measure it. */
export type Measured = {
  readonly events: Pick<Events<NodeEvents>, 'on'>
  health(): Promise<Health>
  readonly reachability: ThundercloudNode['reachability']
}

/** All metrics of one node, ours and libp2p's. */
export interface Metrics {
  /** For `createLibp2p`: it counts in the same registry. */
  readonly libp2p: ReturnType<typeof prometheusMetrics>
  /** Counts what this node does from now on, until it is disposed. */
  observe(node: Measured): Disposable
  /** In the text format of Prometheus. */
  text(): Promise<string>
  readonly contentType: string
}
