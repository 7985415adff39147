import type { Clock } from '../../base/clock.ts'
import { InputError, messageOf } from '../../base/errors.ts'
import { factsOf } from '../facts.ts'
import { INVARIANTS } from '../invariants/index.ts'
import { observe } from '../observation/observe.ts'
import { createTablesFromEvents } from '../observation/tables-from-events.ts'
import { planOf } from '../plan/plan.ts'
import { wholeScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Engine } from '../types.ts'
import { type Draft, generateScenario } from './generate.ts'
import { shrink } from './shrink.ts'

/** A failure that is no broken invariant: the engine could not play the scenario to its end. */
const RUN_ENDS = 'run-ends'

export type Failure = {
  /** the invariant, or `run-ends` */
  readonly breaks: string
  readonly said: string
  /** the smallest scenario that was found to fail so */
  readonly scenario: Draft
  /** before it was shrunk */
  readonly generated: Draft
}

export type FuzzInit = {
  readonly seed: string
  /** scenarios that are generated at most */
  readonly runs: number
  /** runs of the engine that make a failing one smaller, at most */
  readonly shrinkRuns: number
  readonly signal: AbortSignal
  readonly clock: Pick<Clock, 'nextTurn'>
  /** false where its time is over */
  more(): boolean
  onRun(run: number): void
  onShrink(): void
}

export type Fuzzed = { readonly runs: number; readonly failure: Failure | undefined }

/**
 * Generates scenarios from a seed and runs them until one breaks an invariant; makes that one smaller. Rejects when the signal
 * comes before one breaks; while one is made smaller, the signal ends that.
 */
export async function fuzz(engine: Engine, init: FuzzInit): Promise<Fuzzed> {
  const { seed, more, signal } = init
  /** What was found so far is worth more than what it would shrink to. */
  const nothingIfAborted = (error: unknown): ReadonlyMap<string, string> => {
    if (signal.aborted) return new Map()
    throw error
  }
  let runs = 0
  while (runs < init.runs && more()) {
    const generated = generateScenario(`${seed}/${runs}`, engine.name)
    init.onRun(runs++)
    const broken = await tryOut(engine, generated, init)
    const [first] = broken
    if (first === undefined) continue
    const [breaks] = first
    let [said, left] = [first[1], init.shrinkRuns]
    const fails = async (draft: Draft) => {
      left--
      const sentence = (await tryOut(engine, draft, init).catch(nothingIfAborted)).get(breaks)
      if (sentence === undefined) return false
      said = sentence
      init.onShrink()
      return true
    }
    const scenario = await shrink(generated, fails, () => left > 0 && more() && !signal.aborted)
    return { runs, failure: { breaks, said, scenario, generated } }
  }
  return { runs, failure: undefined }
}

/** What breaks, with a sentence of each. None of what is no scenario: its mesh may be in parts. */
async function tryOut(
  engine: Engine,
  draft: Draft,
  { signal, clock }: Pick<FuzzInit, 'signal' | 'clock'>,
): Promise<ReadonlyMap<string, string>> {
  // a small scenario ends before its engine looks at the signal, or lets the signal come
  await clock.nextTurn()
  signal.throwIfAborted()
  try {
    const scenario = await wholeScenario(draft, { file: draft.title, folder: '/' })
    return await violationsOf(engine, scenario, signal)
  } catch (error) {
    signal.throwIfAborted()
    return new Map(error instanceof InputError ? [] : [[RUN_ENDS, messageOf(error)]])
  }
}

async function violationsOf(engine: Engine, scenario: Scenario, signal: AbortSignal): Promise<Map<string, string>> {
  const observing = observe(INVARIANTS, factsOf(planOf(scenario), true, engine.name))
  const tables = createTablesFromEvents(scenario.nodes)
  await engine.run(scenario, {
    events: 'all',
    onEvent(event) {
      observing.onEvent(event)
      tables.onEvent(event)
    },
    ...(engine.name === 'virtual' && { onSpread: observing.onSpread }),
    signal,
  })
  if (engine.name !== 'virtual') for (const table of tables.tables()) observing.onSpread(table)
  return new Map(Object.entries(observing.end().violations).map(([id, [sentence = '']]) => [id, sentence]))
}
