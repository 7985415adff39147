import { createRunning, RUNNING_EVENTS, type Running } from '../observation/running.ts'
import { mean } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = {
  readonly running: Running
  readonly services: Set<number>
  readonly points: Map<number, number>
  readonly seconds: number
  readonly stepMs: number
}

/** Points of the line over time. */
const POINTS = 500

export const replicas = metric({
  id: 'replicas',
  describe: 'Nodes on which a service runs, over time and in the end; there, only the newest version counts.',
  match: ['published', 'superseded', ...RUNNING_EVENTS],
  start: (facts: RunFacts): State => ({
    running: createRunning(facts),
    services: new Set(),
    points: new Map(),
    seconds: facts.seconds,
    stepMs: Math.max(1, (facts.seconds * 1000) / POINTS),
  }),
  capture({ running, services, points, stepMs }, event) {
    if (event.event === 'published') return void services.add(event.service)
    if (event.event === 'superseded') return void services.delete(event.service)
    running.capture(event)
    if (event.event === 'run' || points.size > 0) points.set(Math.floor(event.ms / stepMs), running.total())
  },
  dump(state) {
    const { running, services, points } = state
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
          rows: line(state),
        },
      },
    }
  },
})

/** From before the first run on; each point is what runs at the end of its step. The last one holds: it is seen as a line. */
function line({ points, seconds, stepMs }: State): [number, number][] {
  const steps = [...points].sort(([a], [b]) => a - b)
  const [first, last] = [steps[0], steps.at(-1)]
  if (first === undefined || last === undefined) return []
  const held = last[0] + 1 + Math.ceil((last[0] + 1 - first[0]) / 4)
  const rows = [[first[0], 0], ...steps.map(([step, count]) => [step + 1, count]), [held, last[1]]] as const
  return rows.map(([step = 0, count = 0]) => [Math.min(seconds, (step * stepMs) / 1000), count])
}
