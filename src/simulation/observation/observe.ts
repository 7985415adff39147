import type { SimEvent } from '../events.ts'
import type { SpreadTable, TrafficTable } from '../tables.ts'
import type { Dump, Observation, ObservationName, Observer, RunFacts } from './types.ts'

export type Observed = {
  /** of all observers */
  readonly values: Dump['values']
  readonly tables: NonNullable<Dump['tables']>
  /** by id of the observer, where it found any */
  readonly violations: Readonly<Record<string, readonly string[]>>
}

/** Observers during one run. The calls are those of an engine. */
export interface Observing {
  onEvent(event: SimEvent): void
  onSpread(table: SpreadTable): void
  onTraffic(table: TrafficTable): void
  end(): Observed
}

export function observe(observers: readonly Observer[], facts: RunFacts): Observing {
  const states = observers.map((each) => each.start(facts))
  const listeners = new Map<ObservationName, ((event: Observation) => void)[]>()
  for (const [index, each] of observers.entries()) {
    const state = states[index]
    for (const name of each.match) {
      const listener = (event: Observation) => each.capture(state, event as never)
      listeners.set(name, [...(listeners.get(name) ?? []), listener])
    }
  }
  const feed = (event: Observation) => {
    const known = listeners.get(event.event)
    if (known !== undefined) for (const listener of known) listener(event)
  }
  return {
    onEvent: feed,
    onSpread: (table) => feed({ event: 'spread', table }),
    onTraffic: (table) => feed({ event: 'traffic', table }),
    end() {
      const found = observers.map((each, index) => [each.id, each.assert(states[index])] as const)
      const dumps = observers.map((each, index) => each.dump(states[index]))
      return {
        values: Object.assign({}, ...dumps.map(({ values }) => values)),
        tables: Object.assign({}, ...dumps.map(({ tables }) => tables)),
        violations: Object.fromEntries(found.filter(([, sentences]) => sentences.length > 0)),
      }
    },
  }
}
