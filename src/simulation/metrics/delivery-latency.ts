import { cdf, createSamples, quantile, type Samples } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = { readonly facts: RunFacts; services: number; readonly latencies: Samples }

export const deliveryLatency = metric({
  id: 'delivery-latency',
  describe: 'From the publication of a service to its first valid copy at another node that keeps the rules.',
  match: ['spread'],
  start: (facts): State => ({ facts, services: 0, latencies: createSamples() }),
  capture(state, { table: { publisher, publishedMs, deliveredMs } }) {
    const { attackerOf } = state.facts
    state.services++
    for (let node = 0; node < deliveredMs.length; node++) {
      const at = deliveredMs[node] ?? Number.NaN
      if (node !== publisher && !Number.isNaN(at) && attackerOf(node) === undefined)
        state.latencies.add(at - publishedMs)
    }
  },
  dump({ facts, services, latencies }) {
    const sorted = latencies.sorted()
    return {
      values: {
        deliveries: sorted.length,
        deliveryLatencyP50Ms: quantile(sorted, 0.5),
        deliveryLatencyP90Ms: quantile(sorted, 0.9),
        deliveryLatencyP99Ms: quantile(sorted, 0.99),
        deliveryLatencyMaxMs: quantile(sorted, 1),
      },
      tables: { 'delivery-latency': cdf(sorted, 'latency_ms', Math.max(1, services * (facts.nodes - 1))) },
    }
  },
})
