/** What is simulated. Data: the same scenario runs on every engine. */
export type Scenario = {
  /** All chance follows from it. */
  readonly seed: string
  readonly nodes: number
  /** Nodes that each node names beside the one before it. */
  readonly links: number
  /** How long it lasts, in its own time. */
  readonly seconds: number
  /** Services that are published, one after another over the first half. */
  readonly services: number
  /** Between two nodes, one way. */
  readonly latencyMs: { readonly min: number; readonly max: number }
  readonly bytesPerSecond: number
  readonly redirectionDepth: number
  readonly dht: boolean
}

export type Outcome = {
  /** of all events, in the order in which they happened */
  readonly sha256: string
  readonly events: number
  /** by name of the event */
  readonly counts: Readonly<Record<string, number>>
}

/** A way to run scenarios. */
export interface Engine {
  /** `onEvent` gets each event as a line of JSON. */
  run(
    scenario: Scenario,
    options?: { onEvent?: ((line: string) => void) | undefined; signal?: AbortSignal | undefined },
  ): Promise<Outcome>
}
