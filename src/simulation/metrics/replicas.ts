import { createRunning, RUNNING_EVENTS, type Running } from '../observation/running.ts'
import { mean } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = {
  readonly running: Running
  readonly services: Set<number>
  readonly points: Map<number, number>
  readonly stepMs: number
}

/** Points of the line over time. */
const POINTS = 500

export const replicas = metric({
  id: 'replicas',
  describe: 'Nodes on which a service runs, over time and in the end.',
  match: ['published', ...RUNNING_EVENTS],
  start: (facts: RunFacts): State => ({
    running: createRunning(facts),
    services: new Set(),
    points: new Map(),
    stepMs: Math.max(1, (facts.seconds * 1000) / POINTS),
  }),
  capture({ running, services, points, stepMs }, event) {
    if (event.event === 'published') return void services.add(event.service)
    running.capture(event)
    if (event.event === 'run' || running.total() > 0) points.set(Math.floor(event.ms / stepMs), running.total())
  },
  dump({ running, services, points, stepMs }) {
    // an engine that tells of no run does not simulate them
    const counts = points.size === 0 ? [] : [...services].map((service) => running.count(service))
    return {
      values: {
        replicasFinalMean: mean(counts),
        replicasFinalMin: counts.length === 0 ? null : Math.min(...counts),
        replicasFinalMax: counts.length === 0 ? null : Math.max(...counts),
      },
      tables: {
        replicas: {
          columns: ['time_s', 'running'],
          rows: [...points].sort(([a], [b]) => a - b).map(([step, count]) => [(step * stepMs) / 1000, count]),
        },
      },
    }
  },
})
