/** What a metric or an invariant of one's own is made of, for `thundercloud sim run --observers FILE`, and what it is tested with. */
export type { SimEvent } from '../simulation/events.ts'
export { checkObserver } from '../simulation/observation/check-observer.ts'
export { type Observed, observe } from '../simulation/observation/observe.ts'
export {
  type Cell,
  type Dump,
  invariant,
  metric,
  type Observation,
  type Observer,
  observer,
  type RunFacts,
  type Table,
  type Violations,
} from '../simulation/observation/types.ts'
export { createViolations } from '../simulation/observation/violations.ts'
export { DEPTHS, NONE, type SpreadTable, type TrafficTable } from '../simulation/tables.ts'
