import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Verdict } from '../../base/verdict.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import type { Dormitory } from '../../execution/index.ts'
import type { Applier, ApplyResult } from '../apply.ts'
import { dispositionOf } from '../disposition.ts'
import type { Decision, Evaluator, Subject } from '../evaluate.ts'
import type { AdmissionEvents } from '../events.ts'
import type { RuleCounters } from '../rule-counters.ts'
import type { Change, Reevaluation } from '../views.ts'
import type { ScreenResult } from './background-reevaluation.ts'
import { netOf } from './disposition-changes.ts'
import { createDryRun, type DryRunComponents } from './dry-run.ts'
import { createRounds, type ReevaluationRounds } from './rounds.ts'
import type { Applying } from './target.ts'

/** Longer than the grace that a run gets; a stop that takes longer waits for its engine. */
const STOP_PATIENCE_MS = 30_000

export interface ReevaluatorComponents extends DryRunComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  evaluator: Evaluator
  applier: Pick<Applier, 'apply'>
  dormitory: Pick<Dormitory, 'all' | 'get' | 'state' | 'eventCounter'>
  /** Its verdict is journalled: the mesh and the publisher may be notified. */
  changed(id: string, redirect: boolean): void
  counters: RuleCounters
}

type Options = { signal?: AbortSignal | undefined }

export interface Reevaluator extends Reevaluation {
  /** These of those that run: what is known of them has changed. */
  running(ids: readonly string[], options?: Options): Promise<Change[]>
  /** Parked services that something has happened for; the first has the first claim on capacity. */
  parked(ids: readonly string[], options?: Options): Promise<Change[]>
  /** Its claim on a replica stands: decides once more, and starts it. False where the runner gave no answer. */
  claimed(id: string, options?: Options): Promise<boolean>
  /** Asks about what is refused or redirected, as if all of LIMITS were free; settles what is not admitted. */
  screen(ids: readonly string[], options?: Options): Promise<ScreenResult>
  /** Decides about these, which a new policy admits; the first has the first claim on capacity. */
  admit(ids: readonly string[], options?: Options): Promise<Change[]>
}

export function createReevaluator(components: ReevaluatorComponents): Reevaluator {
  const { clock, log, events, facts, evaluator, applier, dormitory, changed, counters, texts } = components
  // one round at a time: each sees the capacity that the one before has left
  const turn = createWorkQueue({ name: 're-evaluation', concurrency: 1, max: Number.POSITIVE_INFINITY })

  /** Applies a decision, and reports what came of it. */
  function apply(subject: Subject, decision: Decision, { from, sinceEvent, screened }: Applying): ApplyResult {
    const { id } = subject
    const { name } = subject.signed.body
    const before: Verdict | undefined = components.verdictOf(id)
    const parked = dormitory.get(id)
    const result = applier.apply(subject, decision, sinceEvent)
    const { verdict } = result
    const to = dispositionOf(verdict)
    if (screened !== true) counters.count({ id, name }, verdict.reasons)
    if (parked !== undefined && to !== 'parked') {
      const sleptSeconds = Math.floor((clock.now() - parked.since) / 1000)
      events.emit('node:woken', { id, name, to, sleptSeconds })
    }
    const isSame = to === from && before?.redirect === verdict.redirect
    if (from === 'run' || from === 'parked' || !isSame) changed(id, verdict.redirect)
    return result
  }

  function rounds({ signal }: Options): ReevaluationRounds {
    const target = {
      running: () => facts.running(),
      granted: components.granted,
      assuming: facts.assuming,
      subjectOf: components.subjectOf,
      isParked: (id: string) => dormitory.get(id) !== undefined,
      verdictOf: components.verdictOf,
      mayRestart: (subject: Subject) => components.reader.service(subject).final === undefined,
      mustClaim: (subject: Subject) => !components.reader.service(subject).placed,
      eventCounter: () => dormitory.eventCounter(),
      async evaluate(subject: Subject, known?: Parameters<Evaluator['evaluateWith']>[2]) {
        const decision = await evaluator.evaluate(subject, { signal, ...(known && { facts: known }) })
        if (decision.error !== undefined) {
          log.debug('a service got no verdict and stays as it is', { id: subject.id, reason: decision.failure })
        }
        return decision
      },
      apply,
    }
    return createRounds(target, texts)
  }

  async function reevaluateRunning(options: Options, only?: ReadonlySet<string>): Promise<Change[]> {
    const { changes, stops } = await rounds(options).running(only)
    await untilEnded(stops, options)
    return changes
  }

  /** What they hold is for those that wait. An engine that is away holds up nothing: what ends later wakes them then. */
  async function untilEnded(stops: readonly Promise<void>[], { signal }: Options): Promise<void> {
    using limit = deadline(clock, STOP_PATIENCE_MS, new TimeoutError('the runs do not end'), signal)
    await raceSignal(Promise.all(stops), limit.signal).catch((error: unknown) => {
      if (!limit.signal.aborted) throw error
    })
    signal?.throwIfAborted()
  }

  async function reevaluateAll(options: Options): Promise<Change[]> {
    const began = clock.monotonic()
    const services = facts.running().length + dormitory.all().length
    const changes = await reevaluateRunning(options)
    const parkedNow = new Set(changes.map(({ id }) => id))
    const parked = dormitory.all().flatMap(({ id }) => (parkedNow.has(id) ? [] : [id]))
    const all = netOf([...changes, ...(await rounds(options).admit(parked))])
    events.emit('node:redecided', { services, changes: all, tookMs: clock.monotonic() - began })
    return all
  }

  const dryRun = createDryRun(components)
  const admit = (ids: readonly string[], options: Options) =>
    turn.add(async () => netOf(await rounds(options).admit(ids)))
  return {
    screen: (ids, options = {}) =>
      turn.add(() => {
        const round = rounds(options)
        return round.screen(round.idleSubjects(ids))
      }),
    admit: (ids, options = {}) => admit(ids, options),
    claimed: (id, { signal } = {}) =>
      turn.add(async () => {
        const sinceEvent = dormitory.eventCounter()
        const subject = components.subjectOf(id)
        if (subject === undefined) return true
        const decision = await evaluator.evaluate(subject, { signal })
        // over meanwhile: its author, or the operator, has stopped it
        if (components.subjectOf(id) === undefined) return true
        if (decision.error !== undefined) return false
        apply(subject, decision, { from: 'run', sinceEvent })
        return true
      }),
    parked: (ids, options = {}) => admit(ids, options),
    running: (ids, options = {}) => turn.add(async () => netOf(await reevaluateRunning(options, new Set(ids)))),
    all: (options = {}) => turn.add(() => reevaluateAll(options)),
    preview: dryRun,
  }
}
