import { createSamples, quantile, type Samples } from '../observation/samples.ts'
import { metric } from '../observation/types.ts'

type State = { readonly times: Samples; found: number }

export const lookupTime = metric({
  id: 'lookup-time',
  describe: 'How long lookups in the DHT take, and how many find what they look for.',
  match: ['lookup'],
  start: (): State => ({ times: createSamples(), found: 0 }),
  capture(state, { tookMs, found }) {
    state.times.add(tookMs)
    if (found) state.found++
  },
  dump({ times, found }) {
    const sorted = times.sorted()
    return {
      values: {
        lookups: sorted.length,
        lookupsFoundShare: sorted.length === 0 ? null : found / sorted.length,
        lookupP50Ms: quantile(sorted, 0.5),
        lookupP99Ms: quantile(sorted, 0.99),
      },
    }
  },
})
