import { deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { ExecutorName } from '../base/verdict.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { Candidate } from '../journal/index.ts'
import type { NodeFacts, RunningService } from '../runner/index.ts'
import type { ApplyResult } from './apply.ts'
import type { ScreenResult } from './background-reevaluation.ts'
import { dispositionOf, mayRun } from './disposition.ts'
import { dryRun } from './dry-run.ts'
import type { Decision, Subject } from './evaluate.ts'
import type { ReevaluatorComponents } from './reevaluate-components.ts'
import type { Change, Disposition, Reevaluation } from './types.ts'

/** Services that are asked about together; what they are answered is carried out one after the other, best first. */
const BATCH_SIZE = 8

/** Longer than the grace that a run gets; a stop that takes longer waits for its engine. */
const STOP_PATIENCE_MS = 30_000

export interface Reevaluator extends Reevaluation {
  /** These of those that run: what is known of them has changed. */
  running(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
  /** Sleepers that something has happened for; the first has the first claim on room. */
  parked(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
  /** Asks about what is refused or passed on, as if there were all the room of LIMITS; settles what is not admitted. */
  screen(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<ScreenResult>
  /** Decides about these, which a new policy admits; the first has the first claim on room. */
  admit(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
}

export function createReevaluator(components: ReevaluatorComponents): Reevaluator {
  const { clock, log, events, facts, evaluator, applier, dormitory, granted, subjectOf, changed, counters } = components
  // one round at a time: each sees the room that the one before has left
  const turn = createWorkQueue({ name: 're-deciding', concurrency: 1, max: Number.POSITIVE_INFINITY })

  type Options = { signal?: AbortSignal | undefined }

  function changeOf({ id, signed }: Subject, from: Disposition, outcome: Pick<Change, 'to' | 'reasons'>): Change {
    const author = components.texts.ofBytes(signed.body.author)
    return { id, name: signed.body.name, author, from, ...outcome }
  }

  /** Those that had to make way for another one. */
  function changesOf(displaced: ApplyResult['displaced']): Change[] {
    return displaced.flatMap(({ id, from, verdict }) => {
      const subject = subjectOf(id)
      const { reasons } = verdict
      return subject === undefined ? [] : [changeOf(subject, from, { to: dispositionOf(verdict), reasons })]
    })
  }

  /** Those that run, best first, each as if only its betters ran: who does not fit any more is who is worth least. */
  async function reevaluateRunning(options: Options, only?: ReadonlySet<string>): Promise<Change[]> {
    const changes: Change[] = []
    const stops: Promise<void>[] = []
    const { held, asked } = split(only)
    const rankOf = async (subject: Subject, known: NodeFacts) => {
      const { verdict, error } = await evaluator.evaluate(subject, { ...options, facts: known })
      return error === undefined ? verdict.rank : undefined
    }
    for (const running of await byCurrentRank(asked, held, undefined, rankOf)) {
      const subject = subjectOf(running.id)
      const grant = granted().find(({ service, ending }) => service === running.id && !ending)?.grant
      if (grant === undefined) continue
      const asOf = dormitory.eventCounter()
      const ask = (known: NodeFacts) => evaluator.evaluate(subject as Subject, { ...options, facts: known })
      const decision = subject === undefined ? undefined : await evaluateInPlace(ask, held, grant.executor)
      // over, or no answer: a runner that fails stops nothing
      if (subject === undefined || decision === undefined || decision.error !== undefined) {
        held.push(running)
        continue
      }
      if (subjectOf(subject.id) === undefined) continue
      const { verdict, stopped, displaced } = applier.apply(subject, decision, asOf)
      counters.count({ id: subject.id, name: subject.signed.body.name }, verdict.reasons)
      const to = dispositionOf(verdict)
      if (to === 'run') held.push({ ...running, rank: verdict.rank ?? 0 })
      else changes.push(changeOf(subject, 'run', { to, reasons: verdict.reasons }))
      changes.push(...changesOf(displaced))
      if (stopped !== undefined) stops.push(stopped)
      changed(subject.id, verdict.redirect)
    }
    await untilEnded(stops, options)
    return changes
  }

  /**
   * First as if nothing but the executor that it runs by were there: a run stays where it is as long as that is granted.
   * Where it is not, another may be, and then the run moves (`apply.ts`).
   */
  async function evaluateInPlace(
    ask: (known: NodeFacts) => Promise<Decision>,
    held: readonly RunningService[],
    executor: ExecutorName,
  ): Promise<Decision> {
    const here = await ask(facts.assuming(held, { machine: false, executor, only: true }))
    if (here.error !== undefined || here.verdict.run !== false) return here
    return await ask(facts.assuming(held, { machine: false }))
  }

  /** Their room is for those that wait. An engine that is away holds up nobody: what ends later wakes them then. */
  async function untilEnded(stops: readonly Promise<void>[], { signal }: Options): Promise<void> {
    using limit = deadline(clock, STOP_PATIENCE_MS, new TimeoutError('the runs do not end'), signal)
    const late = new Promise<void>((resolve) => {
      limit.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (!limit.signal.aborted) await Promise.race([Promise.all(stops), late])
    signal?.throwIfAborted()
  }

  /** In the order of what they are worth now: a new policy may rank otherwise than the one under which they began. */
  async function byCurrentRank(
    asked: readonly RunningService[],
    held: readonly RunningService[],
    config: RunnerConfig | undefined,
    rankOf: (subject: Subject, known: NodeFacts) => Promise<number | undefined>,
  ): Promise<RunningService[]> {
    const ranks = new Map<string, number>()
    for (const { id, rank } of asked) {
      const [subject, executor] = [subjectOf(id), granted().find(({ service }) => service === id)?.grant.executor]
      const known = facts.assuming(held, { ...(config && { config }), machine: false, executor })
      ranks.set(id, (subject && (await rankOf(subject, known))) ?? rank)
    }
    return [...asked].sort((a, b) => (ranks.get(b.id) ?? 0) - (ranks.get(a.id) ?? 0))
  }

  /** What is not asked about stays; what is about to end is no room that anyone holds. */
  function split(only?: ReadonlySet<string>): { held: RunningService[]; asked: RunningService[] } {
    const ending = new Set(granted().flatMap(({ service, ending: ends }) => (ends ? [service] : [])))
    const running = facts.running().filter(({ id }) => !ending.has(id))
    const isAsked = ({ id, own }: RunningService) => !own && only?.has(id) !== false
    return { held: running.filter((one) => !isAsked(one)), asked: running.filter(isAsked) }
  }

  /** These of what is parked, refused or passed on, the first with the first claim on room. */
  async function admit(ids: readonly string[], options: Options): Promise<Change[]> {
    const changes: Change[] = []
    for (let from = 0; from < ids.length; from += BATCH_SIZE) {
      changes.push(...(await admitBatch(ids.slice(from, from + BATCH_SIZE), options)))
    }
    return changes
  }

  async function admitBatch(ids: readonly string[], options: Options): Promise<Change[]> {
    let asOf = dormitory.eventCounter()
    const subjects = ids.flatMap((id) => (idleDisposition(id) === undefined ? [] : (subjectOf(id) ?? [])))
    const decisions = await Promise.all(subjects.map((subject) => evaluator.evaluate(subject, options)))
    const changes: Change[] = []
    let started = false
    for (const [index, subject] of subjects.entries()) {
      let decision = decisions[index]
      if (started) {
        // whoever went first has taken room that this one was told of
        asOf = dormitory.eventCounter()
        decision = await evaluator.evaluate(subject, options)
      }
      const from = idleDisposition(subject.id)
      // over meanwhile: its author, or the operator, has stopped it
      if (decision === undefined || from === undefined || subjectOf(subject.id) === undefined) continue
      if (decision.error !== undefined) {
        log.debug('a service got no verdict and stays as it is', { id: subject.id, reason: decision.failure })
        continue
      }
      const sleeper = dormitory.get(subject.id)
      const before = isRedirected(subject.id)
      const { verdict, displaced } = applier.apply(subject, decision, asOf)
      const { name } = subject.signed.body
      counters.count({ id: subject.id, name }, verdict.reasons)
      const to = dispositionOf(verdict)
      started ||= to === 'run'
      if (sleeper !== undefined && to !== 'parked') {
        const sleptSeconds = Math.floor((clock.now() - sleeper.since) / 1000)
        events.emit('node:woken', { id: subject.id, name, to, sleptSeconds })
      }
      if (to !== from) changes.push(changeOf(subject, from, { to, reasons: verdict.reasons }))
      changes.push(...changesOf(displaced))
      if (from === 'parked' || to !== from || before !== verdict.redirect) changed(subject.id, verdict.redirect)
    }
    return changes
  }

  /** How what does not run stands; undefined where it runs, has run for good, or was never decided about. */
  function idleDisposition(id: string): Disposition | undefined {
    if (dormitory.get(id) !== undefined) return 'parked'
    const verdict = components.latest(id)
    const standing = verdict && dispositionOf(verdict)
    return standing === 'redirected' || standing === 'refused' ? standing : undefined
  }

  function isRedirected(id: string): boolean | undefined {
    return components.latest(id)?.redirect
  }

  /** What is refused or passed on, and could begin. */
  function idleSubjectOf(id: string): Subject | undefined {
    const standing = idleDisposition(id)
    const subject = standing === undefined || standing === 'parked' ? undefined : subjectOf(id)
    return subject !== undefined && applier.noRestartReason(subject) === undefined ? subject : undefined
  }

  async function screen(ids: readonly string[], options: Options): Promise<ScreenResult> {
    const asOf = dormitory.eventCounter()
    const subjects = ids.flatMap((id) => idleSubjectOf(id) ?? [])
    const empty = facts.assuming([], { machine: false })
    const decisions = await Promise.all(
      subjects.map((subject) => evaluator.evaluate(subject, { ...options, facts: empty })),
    )
    const candidates: Candidate[] = []
    const changes: Change[] = []
    let failed = 0
    for (const [index, subject] of subjects.entries()) {
      const decision = decisions[index]
      const from = idleDisposition(subject.id)
      if (decision?.error !== undefined) failed++
      if (decision === undefined || decision.error !== undefined || from === undefined) continue
      const { rank = 0 } = decision.verdict
      if (mayRun(decision.verdict)) candidates.push({ id: subject.id, rank, arrived: subject.arrived })
      else if (subjectOf(subject.id) !== undefined) changes.push(...applyIdle(subject, from, decision, asOf))
    }
    return { candidates, changes, failed }
  }

  function applyIdle(subject: Subject, from: Disposition, decision: Decision, asOf: number): Change[] {
    const before = isRedirected(subject.id)
    const { verdict, displaced } = applier.apply(subject, decision, asOf)
    const to = dispositionOf(verdict)
    if (to !== from || before !== verdict.redirect) changed(subject.id, verdict.redirect)
    return [
      ...(to === from ? [] : [changeOf(subject, from, { to, reasons: verdict.reasons })]),
      ...changesOf(displaced),
    ]
  }

  return {
    screen: (ids, options = {}) => turn.add(() => screen(ids, options)),
    admit: (ids, options = {}) => turn.add(async () => netOf(await admit(ids, options))),
    running: (ids, options = {}) => turn.add(async () => netOf(await reevaluateRunning(options, new Set(ids)))),
    parked: (ids, options = {}) => turn.add(async () => netOf(await admit(ids, options))),
    all: (options = {}) =>
      turn.add(async () => {
        const began = clock.monotonic()
        const services = facts.running().length + dormitory.all().length
        const changes = await reevaluateRunning(options)
        const parkedNow = new Set(changes.map(({ id }) => id))
        const slept = dormitory.all().flatMap(({ id }) => (parkedNow.has(id) ? [] : [id]))
        const all = netOf([...changes, ...(await admit(slept, options))])
        events.emit('node:redecided', { services, changes: all, tookMs: clock.monotonic() - began })
        return all
      }),
    preview: (ask, config, options = {}) =>
      dryRun(
        {
          ...components,
          split,
          byCurrentRank: byCurrentRank,
          changeOf,
          idleSubjectOf: idleSubjectOf,
          idleDisposition: idleDisposition,
        },
        ask,
        config,
        options,
      ),
  }
}

/** One for each service, from where it stood to where it stands: one that was woken may have to make way again. */
function netOf(changes: readonly Change[]): Change[] {
  const net = new Map<string, Change>()
  for (const change of changes) net.set(change.id, { ...change, from: net.get(change.id)?.from ?? change.from })
  return [...net.values()].filter(({ from, to }) => from !== to)
}
