import { deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { ExecutorName } from '../base/verdict.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { Candidate } from '../journal/index.ts'
import type { NodeFacts, RunningService } from '../runner/index.ts'
import type { Outcome } from './apply.ts'
import type { Weighed } from './background-reevaluation.ts'
import { mayBegin, standingOf } from './disposition.ts'
import { previewWith } from './dry-run.ts'
import type { Decision, Subject } from './evaluate.ts'
import type { DecideAgainComponents } from './reevaluate-components.ts'
import type { Change, Redecide, Standing } from './types.ts'

/** Services that are asked about together; what they are answered is carried out one after the other, best first. */
const ASKED_AT_ONCE = 8

/** Longer than the grace that a run gets; a stop that takes longer waits for its engine. */
const STOP_PATIENCE_MS = 30_000

export interface DecideAgain extends Redecide {
  /** These of those that run: what is known of them has changed. */
  running(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
  /** Sleepers that something has happened for; the first has the first claim on room. */
  these(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
  /** Asks about what is refused or passed on, as if there were all the room of LIMITS; settles what is not admitted. */
  weigh(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Weighed>
  /** Decides about these, which a new policy admits; the first has the first claim on room. */
  place(ids: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
}

export function createDecideAgain(components: DecideAgainComponents): DecideAgain {
  const { clock, log, events, facts, asking, carryOut, dormitory, granted, subjectOf, changed, tally } = components
  // one round at a time: each sees the room that the one before has left
  const turn = createWorkQueue({ name: 're-deciding', concurrency: 1, max: Number.POSITIVE_INFINITY })

  type Options = { signal?: AbortSignal | undefined }

  function changeOf({ id, signed }: Subject, from: Standing, outcome: Pick<Change, 'to' | 'reasons'>): Change {
    const author = components.texts.ofBytes(signed.body.author)
    return { id, name: signed.body.name, author, from, ...outcome }
  }

  /** Those that had to make way for another one. */
  function changesOf(beside: Outcome['beside']): Change[] {
    return beside.flatMap(({ id, from, verdict }) => {
      const subject = subjectOf(id)
      const { reasons } = verdict
      return subject === undefined ? [] : [changeOf(subject, from, { to: standingOf(verdict), reasons })]
    })
  }

  /** Those that run, best first, each as if only its betters ran: who does not fit any more is who is worth least. */
  async function runners(options: Options, only?: ReadonlySet<string>): Promise<Change[]> {
    const changes: Change[] = []
    const stops: Promise<void>[] = []
    const { held, asked } = split(only)
    const rankOf = async (subject: Subject, known: NodeFacts) => {
      const { verdict, error } = await asking.ask(subject, { ...options, facts: known })
      return error === undefined ? verdict.rank : undefined
    }
    for (const running of await bestOf(asked, held, undefined, rankOf)) {
      const subject = subjectOf(running.id)
      const grant = granted().find(({ service, ending }) => service === running.id && !ending)?.grant
      if (grant === undefined) continue
      const asOf = dormitory.eventCounter()
      const ask = (known: NodeFacts) => asking.ask(subject as Subject, { ...options, facts: known })
      const decision = subject === undefined ? undefined : await askWhereItRuns(ask, held, grant.executor)
      // over, or no answer: a runner that fails stops nothing
      if (subject === undefined || decision === undefined || decision.error !== undefined) {
        held.push(running)
        continue
      }
      if (subjectOf(subject.id) === undefined) continue
      const { verdict, stopped, beside } = carryOut.settle(subject, decision, asOf)
      tally.count({ id: subject.id, name: subject.signed.body.name }, verdict.reasons)
      const to = standingOf(verdict)
      if (to === 'run') held.push({ ...running, rank: verdict.rank ?? 0 })
      else changes.push(changeOf(subject, 'run', { to, reasons: verdict.reasons }))
      changes.push(...changesOf(beside))
      if (stopped !== undefined) stops.push(stopped)
      changed(subject.id, verdict.redirect)
    }
    await ended(stops, options)
    return changes
  }

  /**
   * First as if nothing but the executor that it runs by were there: a run stays where it is as long as that is granted.
   * Where it is not, another may be, and then the run moves (`apply.ts`).
   */
  async function askWhereItRuns(
    ask: (known: NodeFacts) => Promise<Decision>,
    held: readonly RunningService[],
    executor: ExecutorName,
  ): Promise<Decision> {
    const here = await ask(facts.as(held, { machine: false, executor, only: true }))
    if (here.error !== undefined || here.verdict.run !== false) return here
    return await ask(facts.as(held, { machine: false }))
  }

  /** Their room is for those that wait. An engine that is away holds up nobody: what ends later wakes them then. */
  async function ended(stops: readonly Promise<void>[], { signal }: Options): Promise<void> {
    using limit = deadline(clock, STOP_PATIENCE_MS, new TimeoutError('the runs do not end'), signal)
    const late = new Promise<void>((resolve) => {
      limit.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (!limit.signal.aborted) await Promise.race([Promise.all(stops), late])
    signal?.throwIfAborted()
  }

  /** In the order of what they are worth now: a new policy may rank otherwise than the one under which they began. */
  async function bestOf(
    asked: readonly RunningService[],
    held: readonly RunningService[],
    config: RunnerConfig | undefined,
    rankOf: (subject: Subject, known: NodeFacts) => Promise<number | undefined>,
  ): Promise<RunningService[]> {
    const ranks = new Map<string, number>()
    for (const { id, rank } of asked) {
      const [subject, executor] = [subjectOf(id), granted().find(({ service }) => service === id)?.grant.executor]
      const known = facts.as(held, { ...(config && { config }), machine: false, executor })
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
  async function place(ids: readonly string[], options: Options): Promise<Change[]> {
    const changes: Change[] = []
    for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
      changes.push(...(await placeFew(ids.slice(from, from + ASKED_AT_ONCE), options)))
    }
    return changes
  }

  async function placeFew(ids: readonly string[], options: Options): Promise<Change[]> {
    let asOf = dormitory.eventCounter()
    const subjects = ids.flatMap((id) => (outOfWork(id) === undefined ? [] : (subjectOf(id) ?? [])))
    const decisions = await Promise.all(subjects.map((subject) => asking.ask(subject, options)))
    const changes: Change[] = []
    let started = false
    for (const [index, subject] of subjects.entries()) {
      let decision = decisions[index]
      if (started) {
        // whoever went first has taken room that this one was told of
        asOf = dormitory.eventCounter()
        decision = await asking.ask(subject, options)
      }
      const from = outOfWork(subject.id)
      // over meanwhile: its author, or the operator, has stopped it
      if (decision === undefined || from === undefined || subjectOf(subject.id) === undefined) continue
      if (decision.error !== undefined) {
        log.debug('a service got no verdict and stays as it is', { id: subject.id, reason: decision.failure })
        continue
      }
      const sleeper = dormitory.get(subject.id)
      const before = passedOn(subject.id)
      const { verdict, beside } = carryOut.settle(subject, decision, asOf)
      const { name } = subject.signed.body
      tally.count({ id: subject.id, name }, verdict.reasons)
      const to = standingOf(verdict)
      started ||= to === 'run'
      if (sleeper !== undefined && to !== 'parked') {
        const sleptSeconds = Math.floor((clock.now() - sleeper.since) / 1000)
        events.emit('node:woken', { id: subject.id, name, to, sleptSeconds })
      }
      if (to !== from) changes.push(changeOf(subject, from, { to, reasons: verdict.reasons }))
      changes.push(...changesOf(beside))
      if (from === 'parked' || to !== from || before !== verdict.redirect) changed(subject.id, verdict.redirect)
    }
    return changes
  }

  /** How what does not run stands; undefined where it runs, has run for good, or was never decided about. */
  function outOfWork(id: string): Standing | undefined {
    if (dormitory.get(id) !== undefined) return 'parked'
    const verdict = components.latest(id)
    const standing = verdict && standingOf(verdict)
    return standing === 'redirected' || standing === 'refused' ? standing : undefined
  }

  function passedOn(id: string): boolean | undefined {
    return components.latest(id)?.redirect
  }

  /** What is refused or passed on, and could begin. */
  function subjectOfRest(id: string): Subject | undefined {
    const standing = outOfWork(id)
    const subject = standing === undefined || standing === 'parked' ? undefined : subjectOf(id)
    return subject !== undefined && carryOut.notAgain(subject) === undefined ? subject : undefined
  }

  async function weigh(ids: readonly string[], options: Options): Promise<Weighed> {
    const asOf = dormitory.eventCounter()
    const subjects = ids.flatMap((id) => subjectOfRest(id) ?? [])
    const empty = facts.as([], { machine: false })
    const decisions = await Promise.all(subjects.map((subject) => asking.ask(subject, { ...options, facts: empty })))
    const candidates: Candidate[] = []
    const changes: Change[] = []
    let failed = 0
    for (const [index, subject] of subjects.entries()) {
      const decision = decisions[index]
      const from = outOfWork(subject.id)
      if (decision?.error !== undefined) failed++
      if (decision === undefined || decision.error !== undefined || from === undefined) continue
      const { rank = 0 } = decision.verdict
      if (mayBegin(decision.verdict)) candidates.push({ id: subject.id, rank, arrived: subject.arrived })
      else if (subjectOf(subject.id) !== undefined) changes.push(...settleRest(subject, from, decision, asOf))
    }
    return { candidates, changes, failed }
  }

  function settleRest(subject: Subject, from: Standing, decision: Decision, asOf: number): Change[] {
    const before = passedOn(subject.id)
    const { verdict, beside } = carryOut.settle(subject, decision, asOf)
    const to = standingOf(verdict)
    if (to !== from || before !== verdict.redirect) changed(subject.id, verdict.redirect)
    return [...(to === from ? [] : [changeOf(subject, from, { to, reasons: verdict.reasons })]), ...changesOf(beside)]
  }

  return {
    weigh: (ids, options = {}) => turn.add(() => weigh(ids, options)),
    place: (ids, options = {}) => turn.add(async () => netOf(await place(ids, options))),
    running: (ids, options = {}) => turn.add(async () => netOf(await runners(options, new Set(ids)))),
    these: (ids, options = {}) => turn.add(async () => netOf(await place(ids, options))),
    all: (options = {}) =>
      turn.add(async () => {
        const began = clock.monotonic()
        const services = facts.running().length + dormitory.all().length
        const changes = await runners(options)
        const parkedNow = new Set(changes.map(({ id }) => id))
        const slept = dormitory.all().flatMap(({ id }) => (parkedNow.has(id) ? [] : [id]))
        const all = netOf([...changes, ...(await place(slept, options))])
        events.emit('node:redecided', { services, changes: all, tookMs: clock.monotonic() - began })
        return all
      }),
    preview: (ask, config, options = {}) =>
      previewWith({ ...components, split, bestOf, changeOf, subjectOfRest, outOfWork }, ask, config, options),
  }
}

/** One for each service, from where it stood to where it stands: one that was woken may have to make way again. */
function netOf(changes: readonly Change[]): Change[] {
  const net = new Map<string, Change>()
  for (const change of changes) net.set(change.id, { ...change, from: net.get(change.id)?.from ?? change.from })
  return [...net.values()].filter(({ from, to }) => from !== to)
}
