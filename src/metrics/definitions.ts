type Definition = {
  readonly help: string
  /** Each has few values, whatever peers, authors and runners send. */
  readonly labels?: readonly string[]
}

/** What is counted since the node started. */
export const COUNTERS = {
  announcements_received: { help: 'announcements that were new and journalled', labels: ['kind', 'via'] },
  announcements_refused: { help: 'announcements that were malformed, forged or over a limit', labels: ['via'] },
  announcements_dropped: { help: 'well-formed announcements that were not accepted', labels: ['why', 'via'] },
  announcements_emitted: { help: 'announcements that this node sent on', labels: ['how'] },
  verdicts: { help: 'decisions of the runner', labels: ['verdict'] },
  verdict_failures: { help: 'decisions that the runner failed to give' },
  services_woken: { help: 'parked services that were decided again', labels: ['to'] },
  services_evicted: { help: 'runs that ended for a service that ranks higher' },
  receipts: { help: 'answers of other nodes about services that were published here', labels: ['state'] },
  run_transitions: { help: 'states that runs entered', labels: ['executor', 'state'] },
  run_restarts: { help: 'programs that were started again after they had ended', labels: ['executor'] },
  orphans_removed: { help: 'runs of this node that no journal knew, and that were ended', labels: ['executor'] },
  code_fetches: { help: 'downloads of code that are complete', labels: ['from'] },
  code_fetch_failures: { help: 'rounds of looking for code that failed' },
  code_provider_faults: { help: 'answers of peers that the hashes of a code rule out' },
  code_served_bytes: { help: 'bytes of code that peers took from here' },
  gossip_arrived: { help: 'gossip messages, by what became of them', labels: ['topic', 'answer'] },
  gossip_arrived_bytes: { help: 'bytes of gossip messages that came', labels: ['topic'] },
  gossip_published: { help: 'gossip messages that were sent', labels: ['topic', 'outcome'] },
  sync_rounds: { help: 'rounds of sync with one neighbour' },
  sync_pulled: { help: 'announcements that sync brought' },
  peers_connected: { help: 'connections that were made', labels: ['direction'] },
  peers_excluded: { help: 'peers that were excluded because they misbehaved' },
  peers_refused: { help: 'requests of peers that were over their share' },
  dial_failures: { help: 'peers that could not be reached' },
  statements: { help: 'statements of trusted signers that were new', labels: ['kind', 'via'] },
  statements_refused: { help: 'statements that were malformed or forged', labels: ['via'] },
  statements_dropped: { help: 'well-formed statements that were not accepted', labels: ['why'] },
  trust_lookups: { help: 'lookups of statements in the DHT', labels: ['outcome'] },
  runner_failures: { help: 'decisions that a fault of the runner prevented', labels: ['kind'] },
  runner_deaths: { help: 'processes of the runner that ended without being asked to', labels: ['kind'] },
  hub_examinations: { help: 'codes that this hub has examined', labels: ['outcome'] },
  relayed_bytes: { help: 'bytes that this node received to relay them' },
  tunnels_opened: { help: 'tunnels to services that were opened' },
  tunnels_refused: { help: 'tunnels to services that were refused' },
  policies_refused: { help: 'policies that were on the disk and were not put in force' },
  alerts: { help: 'notices of alerts, by what became of them', labels: ['alert', 'outcome'] },
} as const satisfies Record<string, Definition>

/** What is so at the time of asking. */
export const GAUGES = {
  peers: { help: 'neighbours that are connected' },
  services: { help: 'services that the journal has' },
  running: { help: 'services that run here' },
  executor_available: { help: '1 where the executor can run services, else 0', labels: ['executor'] },
  uptime_seconds: { help: 'since the node started' },
  draining: { help: '1 while the node is drained, else 0' },
  paused: { help: '1 while the node is paused, else 0' },
  relay_reservations: { help: 'nodes that can be reached through this one' },
  relay_circuits: { help: 'connections that this node relays' },
  info: { help: 'always 1; its labels say what runs', labels: ['version', 'network', 'peer'] },
} as const satisfies Record<string, Definition>

/** Durations in seconds, by the upper bounds of their buckets. */
export const HISTOGRAMS = {
  verdict_seconds: { help: 'how long the runner took to decide', buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2] },
  code_fetch_seconds: { help: 'how long a download of code took', buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300, 600] },
  healthy_seconds: { help: 'how long a run took to become healthy', buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300] },
} as const satisfies Record<string, Definition & { readonly buckets: readonly number[] }>

export type CounterName = keyof typeof COUNTERS
export type GaugeName = keyof typeof GAUGES
export type HistogramName = keyof typeof HISTOGRAMS

/** As Prometheus has it: what counts ends in "_total". */
export const metricName = (name: string) => `thundercloud_${name}`
export const counterName = (name: CounterName) => metricName(`${name}_total`)
