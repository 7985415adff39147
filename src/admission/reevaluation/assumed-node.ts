import type { AddressTexts } from '../../base/address-texts.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import type { ExecutorName, Verdict } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { type Dormitory, type Granted, lowest } from '../../execution/index.ts'
import type { RunningService } from '../../runner/index.ts'
import type { Assumed } from '../../trust/index.ts'
import type { AskRunner, Evaluator, Subject } from '../evaluate.ts'
import { totalLimits } from '../facts/capacity.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'
import type { AdmissionState } from '../plan/admission-state.ts'
import { planChanges } from '../plan/plan-changes.ts'
import { planEndOfParking } from '../plan/plan-parking.ts'
import { displacedIn, type Outcome, type PlannedChange, planOutcome } from '../plan/planned-change.ts'
import { mayRedirect, type StateReader } from '../plan/state-reader.ts'
import type { ReevaluationTarget } from './target.ts'

export interface AssumedNodeComponents {
  evaluator: Pick<Evaluator, 'evaluateWith'>
  reader: StateReader
  facts: Pick<NodeFactsSource, 'assuming' | 'running'>
  dormitory: Pick<Dormitory, 'state'>
  granted(): Granted[]
  subjectOf(id: string): Subject | undefined
  verdictOf(id: string): Verdict | undefined
  texts: AddressTexts
}

/** The node as it would be under another policy, or with another statement: plans change this copy, and nothing else. */
export interface AssumedNode extends ReevaluationTarget {
  /** What goes because more are parked than DORMITORY.MAX allows now. */
  trimDormitory(): Outcome['displaced']
  /** Runs that end, and begin again by another executor. */
  readonly moves: ReadonlyMap<string, ExecutorName>
}

type AssumedRun = { readonly granted: Granted; readonly running: RunningService }

export function createAssumedNode(
  components: AssumedNodeComponents,
  init: { ask: AskRunner; config: RunnerConfig; signal?: AbortSignal | undefined; assumed?: Assumed | undefined },
): AssumedNode {
  const { evaluator, reader, facts, dormitory, subjectOf, texts } = components
  const { ask, config, signal, assumed } = init
  const { MAX, TTL_SECONDS } = config.DORMITORY
  const redirects = mayRedirect(config)
  const runs = new Map<string, AssumedRun>()
  const parked = new Map<string, ParkedService>(dormitory.state().parked)
  const verdicts = new Map<string, Verdict>()
  const moves = new Map<string, ExecutorName>()
  for (const granted of components.granted()) {
    const running = facts.running().find(({ id }) => id === granted.service)
    if (running !== undefined && !granted.ending) runs.set(running.id, { granted, running })
  }

  function verdictOf(id: string): Verdict | undefined {
    return verdicts.get(id) ?? components.verdictOf(id)
  }

  function running(): RunningService[] {
    return [...runs.values()].map((run) => run.running)
  }

  function granted(): Granted[] {
    return [...runs.values()].map((run) => run.granted)
  }

  /** Its own run, and the version that it would replace, do not weigh against it. */
  function factsFor({ id, predecessor }: Subject) {
    const others = running().filter((other) => other.id !== id && other.id !== predecessor)
    return facts.assuming(others, { config })
  }

  function stateFor(subject: Subject): AdmissionState {
    // other nodes are not asked: what would claim a replica counts as if it started
    const assume = { ttlMs: TTL_SECONDS * 1000, placed: true }
    return {
      mayRedirect: redirects,
      limits: totalLimits(config),
      resultBytes: config.LIMITS.RESULTS.BYTES,
      runs: granted(),
      claims: [],
      dormitory: { now: dormitory.state().now, max: MAX, parked },
      sinceEvent: 0,
      get facts() {
        return factsFor(subject)
      },
      ended: new Set(),
      service: reader.service(subject, assume),
      serviceOf(id) {
        const other = subjectOf(id)
        return other && { ...reader.service(other, assume), subject: other }
      },
      verdictOf,
    }
  }

  function take(change: PlannedChange): void {
    switch (change.do) {
      case 'start':
        for (const id of change.ends) runs.delete(id)
        runs.set(change.subject.id, runOf(change))
        return
      case 'stop':
        runs.delete(change.id)
        return
      case 'park':
        if (change.place.replaced !== undefined) parked.delete(change.place.replaced.id)
        parked.set(change.service.id, { ...change.service, since: dormitory.state().now })
        return
      case 'unpark':
        parked.delete(change.id)
        return
      case 'claim':
        return
      case 'record':
        verdicts.set(change.id, change.verdict)
    }
  }

  function runOf({ subject, grant, rank }: Extract<PlannedChange, { do: 'start' }>): AssumedRun {
    const { id, signed } = subject
    const { memoryBytes: memory, cpuMillicores: cpu, diskBytes: disk, pids } = grant
    const author = texts.ofBytes(signed.body.author)
    return {
      granted: { service: id, grant, ending: false, begun: false, failing: false, yields: false },
      running: {
        id,
        author,
        name: signed.body.name,
        rank,
        own: false,
        executor: grant.executor,
        memory,
        cpu,
        disk,
        pids,
      },
    }
  }

  return {
    running,
    granted,
    assuming: (held, options) => facts.assuming(held, { ...options, config }),
    subjectOf,
    isParked: (id) => parked.has(id),
    verdictOf,
    mayRestart: (subject) => reader.service(subject).final === undefined,
    mustClaim: (subject) => !reader.service(subject).placed,
    async evaluate(subject, known = factsFor(subject)) {
      signal?.throwIfAborted()
      return { verdict: await evaluator.evaluateWith(ask, subject, known, assumed) }
    },
    eventCounter: () => 0,
    apply(subject, { verdict: asked }) {
      const before = runs.get(subject.id)
      const changes = planChanges(subject, asked, stateFor(subject))
      for (const change of changes) take(change)
      const outcome = planOutcome(changes, subject)
      const { rank = 0, run } = outcome.verdict
      if (outcome.moves !== undefined) moves.set(subject.id, outcome.moves)
      // what moves holds its capacity until it begins again
      if (before !== undefined && (run !== false || outcome.moves !== undefined)) {
        runs.set(subject.id, { granted: before.granted, running: { ...before.running, rank } })
      }
      return { ...outcome, stopped: undefined }
    },
    trimDormitory() {
      const why = `DORMITORY.MAX is ${MAX}, and others rank higher`
      const gone: PlannedChange[] = []
      for (
        let last = lowest(parked.values());
        parked.size > MAX && last !== undefined;
        last = lowest(parked.values())
      ) {
        const changes = planEndOfParking(last.id, why, verdictOf(last.id), redirects)
        for (const change of changes) take(change)
        gone.push(...changes)
      }
      return displacedIn(gone)
    },
    moves,
  }
}
