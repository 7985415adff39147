import type { SimEvent } from '../events.ts'
import type { SpreadTable, TrafficTable } from '../tables.ts'

/**
 * What observers get: the events, and tables that engines fill whatever events are asked for. Of a million nodes there may be
 * no events, or those of some nodes only; what is needed of all nodes comes from tables.
 */
export type Observation =
  | SimEvent
  | { readonly event: 'spread'; readonly table: SpreadTable }
  | { readonly event: 'traffic'; readonly table: TrafficTable }

export type ObservationName = Observation['event']

/** What observers may know of a run beside what happens. */
export type RunFacts = {
  readonly nodes: number
  /** how long the run lasts, in its own time */
  readonly seconds: number
  /** false: events of some nodes, or none */
  readonly allEvents: boolean
  /** nodes compare what they have with their neighbours, when they come back and now and then */
  readonly hasSync: boolean
  /** each node finds all runs of a service; false: those at its neighbours */
  readonly runsAreKnown: boolean
  /** there are connections, which may end: of whole nodes */
  readonly connections: boolean
  /** nodes come, go, or are cut off */
  readonly changing: boolean
  readonly groupOf: (node: number) => string
  /** by the topology, whatever is cut */
  readonly neighboursOf: (node: number) => Iterable<number>
  /** it breaks the rules in this way */
  readonly attackerOf: (node: number) => string | undefined
  readonly serviceOf: (service: number) => {
    readonly kind: 'service' | 'task'
    readonly replicas: number
    readonly endsMs: number
    readonly memoryBytes: number
  }
  /** what its policy grants in all; undefined where its runner is no Andromeda */
  readonly limitsOf: (
    node: number,
  ) => { readonly runs: number; readonly memoryBytes: number; readonly parked: number } | undefined
}

export type Cell = number | string | null

/** For a CSV file: units are in the names of its columns. */
export type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }

export type Dump = {
  /** by name, which has the unit; null where nothing was measured */
  readonly values: Readonly<Record<string, number | null>>
  readonly tables?: Readonly<Record<string, Table>> | undefined
}

type Named<Name extends ObservationName> = Extract<Observation, { readonly event: Name }>

/**
 * A metric or an invariant, as a value. One run at a time: `start` makes its state, `capture` gets what `match` names in the
 * order of its times, and then `assert` says what is wrong, and `dump` what was measured.
 */
export interface Observer<State = unknown, Name extends ObservationName = ObservationName> {
  readonly id: string
  /** One sentence: what it measures, or what must hold. */
  readonly describe: string
  readonly match: readonly Name[]
  start(facts: RunFacts): State
  capture(state: State, event: Named<Name>): void
  /** One sentence for each violation; of many alike, the first few and their count. */
  assert(state: State): readonly string[]
  dump(state: State): Dump
}

/** Ties the types of a state and of the events to an observer, and forgets them: a list holds all kinds. */
export function observer<State, const Name extends ObservationName>(value: Observer<State, Name>): Observer {
  return value as unknown as Observer
}

/** A metric has no opinion. */
export function metric<State, const Name extends ObservationName>(
  value: Omit<Observer<State, Name>, 'assert'>,
): Observer {
  return observer<State, Name>({ ...value, assert: () => [] })
}

/** An invariant measures nothing. `assert` gets the violations that `capture` found, and may add to them. */
export function invariant<State extends { readonly violations: Violations }, const Name extends ObservationName>(
  value: Omit<Observer<State, Name>, 'assert' | 'dump'> & { finish?(state: State): void },
): Observer {
  const { finish, ...rest } = value
  return observer<State, Name>({
    ...rest,
    assert(state) {
      finish?.(state)
      return state.violations.sentences()
    },
    dump: () => ({ values: {} }),
  })
}

export interface Violations {
  add(sentence: string): void
  sentences(): readonly string[]
}
