export { COUNTERS, counterName, GAUGES, HISTOGRAMS, metricName } from './definitions.ts'
export { createMetrics } from './metrics.ts'
export type { Metrics } from './types.ts'
