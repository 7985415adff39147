import { ThundercloudError } from '../base/errors.ts'
import { factsOf } from './facts.ts'
import { INVARIANTS } from './invariants/index.ts'
import { METRICS } from './metrics/index.ts'
import { checkAssertions } from './observation/assertions.ts'
import { observe } from './observation/observe.ts'
import { createTablesFromEvents } from './observation/tables-from-events.ts'
import type { Observer } from './observation/types.ts'
import { createEventLog, type EventMode } from './output/event-log.ts'
import { RESULTS_FORMAT, type Results } from './output/results.ts'
import { planOf } from './plan/plan.ts'
import { noticesOf } from './scenario/notices.ts'
import type { Scenario } from './scenario/scenario.ts'
import type { SpreadTable } from './tables.ts'
import type { Engine, Outcome } from './types.ts'

/** Above this, observers get only the events that are written: tables have the rest. */
const MAX_OBSERVED = 3_000_000

export type RunInit = {
  readonly scenario: Scenario
  readonly events: EventMode
  /** where events are written; undefined = nowhere */
  readonly eventsPath?: string | undefined
  /** beside those of this package */
  readonly observers?: readonly Observer[] | undefined
  readonly environment: Results['environment']
  readonly signal?: AbortSignal | undefined
  onProgress?(ms: number): void
  /** Called before anything runs, with a sentence that people should know. */
  onNote?(note: string): void
  onSpread?(table: SpreadTable): void
}

/** It was interrupted: what had been measured by then is here. */
export class InterruptedRunError extends ThundercloudError {
  override readonly name = 'InterruptedRunError'
  readonly results: Results

  constructor(results: Results, cause: unknown) {
    super('the run was interrupted', { cause })
    this.results = results
  }
}

/** Runs a scenario on an engine, and measures. */
export async function runScenario(engine: Engine, init: RunInit): Promise<Results> {
  const { scenario, events, eventsPath, signal } = init
  const plan = planOf(scenario)
  const services = plan.timeline.filter((action) => action.do === 'publish').length
  const all = scenario.nodes * Math.max(1, services) <= MAX_OBSERVED || events === 'all'
  const observing = observe([...METRICS, ...INVARIANTS, ...(init.observers ?? [])], factsOf(plan, all, engine.name))
  // a mistake in an assertion is found before anything runs
  checkAssertions(scenario.assertions, observing.end())
  const notes = noticesOf(plan, engine.name)
  for (const note of notes) init.onNote?.(note)
  using log =
    eventsPath === undefined || events === 'none'
      ? undefined
      : createEventLog(eventsPath, { mode: events, nodes: scenario.nodes })
  const resultsOf = (outcome: Outcome | undefined): Results => {
    const observed = observing.end()
    return {
      format: RESULTS_FORMAT,
      ...{ title: scenario.title, seed: scenario.seed, engine: engine.name, depth: engine.depth },
      ...{ nodes: scenario.nodes, seconds: scenario.seconds },
      complete: outcome !== undefined,
      sha256: outcome?.sha256 ?? null,
      events: {
        mode: events,
        count: outcome?.events ?? null,
        written: log?.written ?? 0,
        leftOut: log?.leftOut ?? 0,
        byName: { ...outcome?.counts },
      },
      ...(outcome?.crashPoints === undefined ? {} : { crashPoints: [...outcome.crashPoints] }),
      values: observed.values,
      tables: mutable(observed.tables),
      violations: mutable(outcome === undefined ? {} : observed.violations),
      assertions:
        outcome === undefined ? [] : checkAssertions(scenario.assertions, observed).map((each) => mutable(each)),
      notes: [...notes],
      cost: {
        elapsedSeconds: outcome?.elapsedSeconds ?? 0,
        peakMemoryBytes: outcome?.peakMemoryBytes ?? null,
        ...(outcome?.cpuSeconds === undefined ? {} : { cpuSeconds: outcome.cpuSeconds }),
      },
      environment: init.environment,
    }
  }
  const tables = createTablesFromEvents(scenario.nodes)
  let told = false
  const onSpread = (table: SpreadTable) => {
    told = true
    observing.onSpread(table)
    init.onSpread?.(table)
  }
  const fill = () => {
    if (!told) for (const table of tables.tables()) onSpread(table)
  }
  try {
    const outcome = await engine.run(scenario, {
      events: all ? 'all' : events,
      onEvent(event) {
        observing.onEvent(event)
        log?.write(event)
        if (engine.name !== 'virtual') tables.onEvent(event)
      },
      onSpread,
      onTraffic: observing.onTraffic,
      onProgress: init.onProgress,
      signal,
    })
    fill()
    return resultsOf(outcome)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    fill()
    throw new InterruptedRunError(resultsOf(undefined), error)
  }
}

/** The types of results.json are those of a parsed file. */
function mutable<T>(value: T): Mutable<T> {
  return value as Mutable<T>
}

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T
