import type { Scenario } from '../scenario/scenario.ts'
import type { Graph } from './graph.ts'
import { type Population, populate } from './population.ts'
import { hashFraction, seedWord } from './random.ts'
import { type Action, timelineOf } from './timeline.ts'
import { buildTopology } from './topology.ts'

/** A scenario with all its chance drawn: who the nodes are, what joins them, what happens when. The same for every engine. */
export type Plan = Population & {
  readonly scenario: Scenario
  readonly graph: Graph
  readonly timeline: readonly Action[]
  /** One way, without jitter; the same in both directions where the scenario has no matrix. */
  latencyMs(from: number, to: number): number
}

/** Throws an InputError where the topology leaves the mesh in parts. */
export function planOf(scenario: Scenario): Plan {
  const population = populate(scenario)
  return {
    ...population,
    scenario,
    graph: buildTopology(scenario, population),
    timeline: timelineOf(scenario, population),
    latencyMs: latencyOf(scenario, population),
  }
}

function latencyOf({ links: { latencyMs }, seed }: Scenario, { regionOf }: Population): Plan['latencyMs'] {
  if ('matrix' in latencyMs) {
    const { length } = latencyMs.regions
    const flat = Float64Array.from(latencyMs.matrix.flat())
    return (from, to) => flat[(regionOf[from] as number) * length + (regionOf[to] as number)] as number
  }
  const { min, max } = latencyMs
  if (min === max) return () => min
  const word = seedWord(`${seed}/latency`)
  return (from, to) => min + hashFraction(word, Math.min(from, to), Math.max(from, to)) * (max - min)
}
