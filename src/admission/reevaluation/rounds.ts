import type { AddressTexts } from '../../base/address-texts.ts'
import type { ExecutorName } from '../../base/verdict.ts'
import type { Candidate } from '../../journal/index.ts'
import type { RunningService } from '../../runner/index.ts'
import type { ApplyResult } from '../apply.ts'
import { dispositionOf, mayRun } from '../disposition.ts'
import type { Decision, Subject } from '../evaluate.ts'
import type { Outcome } from '../plan/planned-change.ts'
import type { Change, Disposition } from '../views.ts'
import type { ScreenResult } from './background-reevaluation.ts'
import { changeOf } from './disposition-changes.ts'
import type { Applying, ReevaluationTarget } from './target.ts'

/** Services that are asked about together; what they are answered is applied one after the other, best first. */
const BATCH_SIZE = 8

/** One pass of a re-evaluation over a target: the same steps, whether they are done or only foreseen. */
export interface ReevaluationRounds {
  /** Those that run, best first, each as if only its betters ran: what does not fit any more is what is worth least. */
  running(only?: ReadonlySet<string>): Promise<{ changes: Change[]; stops: Promise<void>[] }>
  /** These of what is parked, refused or redirected, the first with the first claim on capacity. */
  admit(ids: readonly string[]): Promise<Change[]>
  /** Of these, what is refused or redirected, and could begin. */
  idleSubjects(ids: readonly string[]): Subject[]
  /** Asks as if all of LIMITS were free: applies what is not admitted, and answers the others. */
  screen(subjects: readonly Subject[]): Promise<ScreenResult>
  /** Of services that had to make way. */
  displacedChanges(displaced: Outcome['displaced']): Change[]
}

export function createRounds(target: ReevaluationTarget, texts: AddressTexts): ReevaluationRounds {
  const { subjectOf } = target

  function displacedChanges(displaced: Outcome['displaced']): Change[] {
    return displaced.flatMap(({ id, from, verdict }) => {
      const other = subjectOf(id)
      return other === undefined ? [] : [changeOf(other, { from, before: undefined, verdict }, texts)]
    })
  }

  /** Applies a decision: the change of the service itself, and those of services that had to make way for it. */
  function apply(subject: Subject, decision: Decision, about: Applying): { changes: Change[]; result: ApplyResult } {
    const before = target.verdictOf(subject.id)
    const claims = about.from !== 'run' && target.mustClaim(subject)
    const result = target.apply(subject, decision, about)
    const displaced = displacedChanges(result.displaced)
    const own = changeOf(subject, { from: about.from, before, verdict: result.verdict, claims }, texts)
    return { changes: own.from === own.to ? displaced : [own, ...displaced], result }
  }

  async function reevaluateRunning(only?: ReadonlySet<string>) {
    const changes: Change[] = []
    const stops: Promise<void>[] = []
    const { held, asked } = split(only)
    for (const running of await byCurrentRank(asked, held)) {
      const subject = subjectOf(running.id)
      const executor = executorOf(running.id)
      if (executor === undefined) continue
      const sinceEvent = target.eventCounter()
      const decision = subject && (await evaluateInPlace(subject, held, executor))
      // over, or no answer: a runner that fails stops nothing
      if (subject === undefined || decision === undefined || decision.error !== undefined) {
        held.push(running)
        continue
      }
      if (subjectOf(subject.id) === undefined) continue
      const { changes: now, result } = apply(subject, decision, { from: 'run', sinceEvent })
      changes.push(...now)
      if (result.stopped !== undefined) stops.push(result.stopped)
      // what moves to another executor keeps what it has until it begins again
      const stays = result.verdict.run !== false || result.moves !== undefined
      if (stays) held.push({ ...running, rank: result.verdict.rank ?? 0 })
    }
    return { changes, stops }
  }

  /** What is not asked about stays; what is about to end holds no capacity. */
  function split(only?: ReadonlySet<string>): { held: RunningService[]; asked: RunningService[] } {
    const ending = new Set(target.granted().flatMap(({ service, ending: ends }) => (ends ? [service] : [])))
    const running = target.running().filter(({ id }) => !ending.has(id))
    const isAsked = ({ id, own }: RunningService) => !own && only?.has(id) !== false
    return { held: running.filter((one) => !isAsked(one)), asked: running.filter(isAsked) }
  }

  /** In the order of what they are worth now: a new policy may rank otherwise than the one under which they began. */
  async function byCurrentRank(asked: readonly RunningService[], held: readonly RunningService[]) {
    const ranks = new Map<string, number>()
    for (const { id, rank } of asked) {
      const subject = subjectOf(id)
      const known = target.assuming(held, { machine: false, executor: executorOf(id) })
      const decision = subject && (await target.evaluate(subject, known))
      ranks.set(id, (decision?.error === undefined ? decision?.verdict.rank : undefined) ?? rank)
    }
    return [...asked].sort((a, b) => (ranks.get(b.id) ?? 0) - (ranks.get(a.id) ?? 0))
  }

  function executorOf(id: string): ExecutorName | undefined {
    return target.granted().find(({ service, ending }) => service === id && !ending)?.grant.executor
  }

  /**
   * First as if nothing but the executor that it runs by were there: a run stays where it is as long as that is granted.
   * Where it is not, another may be, and then the run moves.
   */
  async function evaluateInPlace(subject: Subject, held: readonly RunningService[], executor: ExecutorName) {
    const here = await target.evaluate(subject, target.assuming(held, { machine: false, executor, only: true }))
    if (here.error !== undefined || here.verdict.run !== false) return here
    return await target.evaluate(subject, target.assuming(held, { machine: false }))
  }

  async function admit(ids: readonly string[]): Promise<Change[]> {
    const changes: Change[] = []
    for (let from = 0; from < ids.length; from += BATCH_SIZE) {
      changes.push(...(await admitBatch(ids.slice(from, from + BATCH_SIZE))))
    }
    return changes
  }

  async function admitBatch(ids: readonly string[]): Promise<Change[]> {
    let sinceEvent = target.eventCounter()
    const subjects = ids.flatMap((id) => (idleDisposition(id) === undefined ? [] : (subjectOf(id) ?? [])))
    const decisions = await Promise.all(subjects.map((subject) => target.evaluate(subject)))
    const changes: Change[] = []
    let started = false
    for (const [index, subject] of subjects.entries()) {
      let decision = decisions[index]
      if (started) {
        // one that went first has taken capacity that this one was asked with
        sinceEvent = target.eventCounter()
        decision = await target.evaluate(subject)
      }
      const from = idleDisposition(subject.id)
      // over meanwhile: its author, or the operator, has stopped it
      if (decision === undefined || from === undefined || subjectOf(subject.id) === undefined) continue
      // no answer: it stays as it is
      if (decision.error !== undefined) continue
      const { changes: now, result } = apply(subject, decision, { from, sinceEvent })
      changes.push(...now)
      started ||= result.verdict.run !== false
    }
    return changes
  }

  /** Of what does not run; undefined where it runs, has run for good, or was never decided about. */
  function idleDisposition(id: string): Disposition | undefined {
    if (target.isParked(id)) return 'parked'
    const verdict = target.verdictOf(id)
    const disposition = verdict && dispositionOf(verdict)
    return disposition === 'redirected' || disposition === 'refused' ? disposition : undefined
  }

  function idleSubject(id: string): Subject | undefined {
    const disposition = idleDisposition(id)
    const subject = disposition === undefined || disposition === 'parked' ? undefined : subjectOf(id)
    return subject !== undefined && target.mayRestart(subject) ? subject : undefined
  }

  async function screen(subjects: readonly Subject[]): Promise<ScreenResult> {
    const sinceEvent = target.eventCounter()
    const empty = target.assuming([], { machine: false })
    const decisions = await Promise.all(subjects.map((subject) => target.evaluate(subject, empty)))
    const candidates: Candidate[] = []
    const changes: Change[] = []
    let failed = 0
    for (const [index, subject] of subjects.entries()) {
      const decision = decisions[index]
      const from = idleDisposition(subject.id)
      if (decision?.error !== undefined) failed++
      if (decision === undefined || decision.error !== undefined || from === undefined) continue
      const { id, arrived } = subject
      if (mayRun(decision.verdict)) candidates.push({ id, rank: decision.verdict.rank ?? 0, arrived })
      else if (subjectOf(id) !== undefined) {
        changes.push(...apply(subject, decision, { from, sinceEvent, screened: true }).changes)
      }
    }
    return { candidates, changes, failed }
  }

  return {
    running: reevaluateRunning,
    admit,
    idleSubjects: (ids) => ids.flatMap((id) => idleSubject(id) ?? []),
    screen,
    displacedChanges,
  }
}
