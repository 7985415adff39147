import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import {
  COUNTERS,
  type CounterName,
  counterName,
  GAUGES,
  type GaugeName,
  HISTOGRAMS,
  type HistogramName,
  metricName,
} from './definitions.ts'

type Labels = Readonly<Record<string, string>>

/** The metrics of `definitions.ts`, by their names there. */
export interface Instruments {
  count(name: CounterName, labels?: Labels, by?: number): void
  set(name: GaugeName, value: number, labels?: Labels): void
  /** In seconds. */
  time(name: HistogramName, seconds: number): void
}

export function createInstruments(registry: Registry): Instruments {
  const registers = [registry]
  const common = ({ help, labels = [] }: { help: string; labels?: readonly string[] }) => ({
    help,
    labelNames: labels,
    registers,
  })
  const counters = mapValues(
    COUNTERS,
    (definition, name) => new Counter({ name: counterName(name), ...common(definition) }),
  )
  const gauges = mapValues(GAUGES, (definition, name) => new Gauge({ name: metricName(name), ...common(definition) }))
  const histograms = mapValues(
    HISTOGRAMS,
    (definition, name) =>
      new Histogram({ name: metricName(name), ...common(definition), buckets: [...definition.buckets] }),
  )
  return {
    count: (name, labels = {}, by = 1) => counters[name].inc(labels, by),
    set: (name, value, labels = {}) => gauges[name].set(labels, value),
    time: (name, seconds) => histograms[name].observe(seconds),
  }
}

function mapValues<Name extends string, Value, Result>(
  values: Readonly<Record<Name, Value>>,
  map: (value: Value, name: Name) => Result,
): Record<Name, Result> {
  const entries = Object.entries(values) as [Name, Value][]
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value, name)])) as Record<Name, Result>
}
