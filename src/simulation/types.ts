import type { SimEvent, SimEventName } from './events.ts'
import type { Scenario } from './scenario/scenario.ts'
import type { SpreadTable, TrafficTable } from './tables.ts'

export type Outcome = {
  /** of all events, in the order in which they happened, whichever of them were handed out */
  readonly sha256: string
  readonly events: number
  /** by name of the event */
  readonly counts: Readonly<Partial<Record<SimEventName, number>>>
  /** where it ended, in its own time */
  readonly endedMs: number
  /** Where whole nodes run: how many crash points each node has passed. */
  readonly crashPoints?: readonly number[] | undefined
  /** a person's, not the scenario's */
  readonly elapsedSeconds: number
  readonly peakMemoryBytes: number
  /** of all processes of nodes, without their runners */
  readonly cpuSeconds?: number | undefined
}

export type RunOptions = {
  /** `sampled`: those of a hundredth of the nodes, at least of a hundred; default: all */
  readonly events?: 'all' | 'sampled' | 'none' | undefined
  readonly onEvent?: ((event: SimEvent) => void) | undefined
  /** Called for each service when nothing more happens to it, at the latest in the end. */
  readonly onSpread?: ((table: SpreadTable) => void) | undefined
  /** Called once, in the end. */
  readonly onTraffic?: ((table: TrafficTable) => void) | undefined
  /** Called now and then with the virtual time that has passed. */
  readonly onProgress?: ((ms: number) => void) | undefined
  /** Where whole nodes run: each event of each node, as a line of JSON. */
  readonly onNodeEvent?: ((line: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A way to run scenarios. */
export interface Engine {
  readonly name: 'virtual' | 'simulated' | 'live'
  /** what of the node is real: all, or all but what carries its messages, or its rules alone */
  readonly depth: 'model' | 'network' | 'libp2p' | 'live'
  run(scenario: Scenario, options?: RunOptions): Promise<Outcome>
}
