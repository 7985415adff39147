import { createRunning, RUNNING_EVENTS, type Running } from '../observation/running.ts'
import { cdf, createSamples, quantile, type Samples } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = {
  readonly facts: RunFacts
  /** when the first node had it, by service */
  readonly first: Map<number, number>
  readonly known: Samples
  readonly ended: Samples
  readonly running: Running
  /** nodes that got the service, and never its revocation */
  unaware: number
  revoked: number
}

export const revocationTime = metric({
  id: 'revocation-time',
  describe: 'From a stop or revocation to the nodes that get it, and to the end of the runs that it concerns.',
  match: ['spread', 'revoked', ...RUNNING_EVENTS],
  start: (facts): State => ({
    facts,
    first: new Map(),
    known: createSamples(),
    ended: createSamples(),
    running: createRunning(facts),
    unaware: 0,
    revoked: 0,
  }),
  capture(state, event) {
    const { first, known, ended, running } = state
    if (event.event === 'spread') {
      const { deliveredMs, revokedMs } = event.table
      if (revokedMs.length === 0) return
      let since = Number.POSITIVE_INFINITY
      for (const ms of revokedMs) if (ms < since) since = ms
      state.revoked++
      for (let node = 0; node < revokedMs.length; node++) {
        const ms = revokedMs[node] ?? Number.NaN
        if (!Number.isNaN(ms)) known.add(ms - since)
        else if (!Number.isNaN(deliveredMs[node])) state.unaware++
      }
    } else if (event.event === 'revoked') {
      if (!first.has(event.service)) first.set(event.service, event.ms)
    } else {
      const since = event.event === 'run' && event.state === 'ended' ? first.get(event.service) : undefined
      if (since !== undefined && event.event === 'run' && running.has(event.service, event.node))
        ended.add(event.ms - since)
      running.capture(event)
    }
  },
  dump({ facts, first, known, ended, running, unaware, revoked }) {
    const learned = known.sorted()
    const stopped = ended.sorted()
    const still = [...first.keys()].reduce((sum, service) => sum + running.count(service), 0)
    return {
      values: {
        revocationKnownP50Ms: quantile(learned, 0.5),
        revocationKnownP99Ms: quantile(learned, 0.99),
        revocationUnawareNodes: revoked === 0 ? null : unaware,
        revocationRunsEndedP50Ms: quantile(stopped, 0.5),
        revocationRunsEndedMaxMs: quantile(stopped, 1),
        revokedStillRunning: facts.allEvents && first.size > 0 ? still : null,
      },
      tables: {
        'revocation-known': cdf(learned, 'since_revocation_ms', Math.max(1, learned.length + unaware)),
        'revocation-runs-ended': cdf(stopped, 'since_revocation_ms', Math.max(1, stopped.length + still)),
      },
    }
  },
})
