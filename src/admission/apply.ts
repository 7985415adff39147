import { isDeepStrictEqual } from 'node:util'
import { equals } from 'uint8arrays'
import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Grant, Reason, Verdict } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import {
  type Dormitory,
  type Granted,
  NoCapacityError,
  type ParkedService,
  type RunnableService,
} from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import { limitError } from '../runner/index.ts'
import { runnableOf } from '../services/runnable.ts'
import type { Trust, TrustFacts } from '../trust/index.ts'
import {
  beyondLimits,
  declined,
  dispositionOf,
  finalReason,
  finalVerdict,
  moved,
  parkedVerdict,
} from './disposition.ts'
import type { Decision, Evaluator, Subject } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { NodeFactsSource } from './node-facts.ts'
import { plain } from './plain-verdict.ts'
import { trustSubjectOf, unsafeGrace } from './trust-subject.ts'
import { wakeOnTrustChange } from './trust-watcher.ts'
import type { Disposition } from './types.ts'

/** Versions that are looked back: a name that is updated more often while one runs is not followed further. */
const MAX_OLDER = 64
const TAKEN = 'DORMITORY.MAX is reached, and a service that ranks higher took its place'

export interface ApplierComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  journal: Pick<Journal, 'announcements' | 'verdicts' | 'runs' | 'transaction'>
  facts: NodeFactsSource
  evaluator: Pick<Evaluator, 'factsFor'>
  dormitory: Pick<Dormitory, 'park' | 'remove' | 'get' | 'wake'>
  runs: {
    /** Journals the intent and returns those that end for it. Throws where the room is taken. */
    run(
      service: RunnableService,
      grant: Grant,
      options: { replaces?: string | undefined; evicts?: readonly string[] | undefined },
    ): readonly string[]
    /** Journals the wish before it returns; resolves when the run has ended. */
    stop(service: string, options: { why: string; graceMs?: number | undefined }): Promise<void>
    granted(): Granted[]
  }
  /** The service as it is known here; undefined where it is forgotten. */
  subjectOf(id: string): Subject | undefined
  /** Somebody else's standing changed: it had to make room, here or in the dormitory. It is journalled. */
  onDisplaced(id: string): void
  trust: Pick<Trust, 'factsOf'>
  texts: AddressTexts
}

/** What became of a decision: the verdict in force, the end of a run that it stopped, and who else had to make way. */
export type ApplyResult = {
  readonly verdict: Verdict
  readonly stopped: Promise<void> | undefined
  readonly displaced: readonly { readonly id: string; readonly from: Disposition; readonly verdict: Verdict }[]
}

export interface Applier {
  /**
   * Does what a verdict says, as far as this node lets it, and journals it: verdict, bed, run and stop as one, so that a
   * crash leaves all or nothing. `asOf` is what the dormitory's `tick` said before the runner was asked.
   */
  apply(subject: Subject, decision: Decision, asOf: number): ApplyResult
  /** Why it does not wait for another beginning: a task runs at most once, a version that was replaced ends. */
  noRestartReason(subject: Subject): Reason | undefined
  /** It does not wait any longer. */
  unpark(sleeper: ParkedService, why: string): void
}

export function createApplier(components: ApplierComponents, init: { policy(): Policy }): Applier {
  const { clock, log, events, journal, facts, dormitory, runs, texts, subjectOf } = components

  /** what others are told, and only when all of it is journalled */
  let afterCommit: (() => void)[] = []
  let displaced: ApplyResult['displaced'] = []

  function mayRedirect(): boolean {
    const { REDIRECT, REDIRECTION_DEPTH } = init.policy().config
    return REDIRECT !== 'never' && REDIRECTION_DEPTH > 0
  }

  function write(id: string, verdict: Verdict | undefined, failure?: string): void {
    const policy = Uint8Array.from(Buffer.from(init.policy().hash, 'hex'))
    const last = journal.verdicts.latest(id)
    facts.forget(id)
    // a sleeper is told the same again and again: that is no news, and would push out of the journal what is
    if (last !== undefined && equals(last.policy, policy) && isDeepStrictEqual(last.verdict, plain(verdict))) return
    journal.verdicts.add({ service: id, at: Math.floor(clock.now()), policy, verdict, failure })
  }

  /** Lays it to sleep where there is a bed; where there is none, the verdict says so. */
  function park(subject: Subject, verdict: Verdict, asOf: number): Verdict {
    const { id, signed, arrived } = subject
    const on = verdict.park ?? []
    const expires = signed.body.expires * 1000
    const slept = dormitory.get(id) !== undefined
    const result = dormitory.park({ id, on, rank: verdict.rank ?? 0, arrived, expires }, asOf)
    if (!result.parked) {
      dormitory.remove(id)
      return declined(verdict, { rule: 'dormitory', outcome: 'fail', message: result.why }, mayRedirect())
    }
    if (!slept) {
      const until = Math.floor(result.until / 1000)
      const parked = { id, name: signed.body.name, until, on: on.map((one) => one.on) }
      afterCommit.push(() => events.emit('node:parked', parked))
    }
    if (result.replaced !== undefined) decline(result.replaced.id, TAKEN)
    return verdict
  }

  function decline(id: string, why: string): void {
    const before = journal.verdicts.latest(id)?.verdict
    if (before === undefined) return
    recordDisplaced(id, 'parked', declined(before, { rule: 'dormitory', outcome: 'fail', message: why }, mayRedirect()))
  }

  function noRestartReason({ id, signed }: Subject): Reason | undefined {
    const task = signed.body.run.kind !== 'service'
    return finalReason({
      replaced: journal.announcements.stateOf(id)?.state === 'superseded',
      begunTask: task && (journal.runs.ofService(id)?.handle ?? null) !== null,
    })
  }

  /** It had to end for another one: it waits for room, where it may run again. */
  function parkEvicted(id: string, by: Subject): void {
    const subject = subjectOf(id)
    const before = journal.verdicts.latest(id)?.verdict
    if (subject === undefined || before === undefined) return
    const message = `it made room for ${by.id}, which ranks higher here`
    const last = noRestartReason(subject)
    const reason = { rule: 'eviction', outcome: 'defer' as const, message }
    const waits = parkedVerdict({ ...before, redirect: mayRedirect() }, [{ on: 'capacity' }], reason)
    const verdict =
      last === undefined
        ? park(subject, waits, Number.POSITIVE_INFINITY)
        : declined(before, { ...reason, outcome: 'fail', message: `${message}; ${last.message}` }, mayRedirect())
    const told = { id, name: subject.signed.body.name, by: by.id, parked: dispositionOf(verdict) === 'parked' }
    afterCommit.push(() => events.emit('node:evicted', told))
    recordDisplaced(id, 'run', verdict)
  }

  function recordDisplaced(id: string, from: Disposition, verdict: Verdict): void {
    write(id, verdict)
    displaced = [...displaced, { id, from, verdict }]
    afterCommit.push(() => components.onDisplaced(id))
  }

  /** Starts it. Who came first has the room: one for whom it was free a moment ago waits for it. */
  function start(subject: Subject, verdict: Verdict, grant: Grant, asOf: number): Verdict {
    const { signed } = subject
    try {
      if (isEnding(subject.id)) throw new NoCapacityError('its run before is still ending')
      const ended = runs.run(runnableOf(signed, texts), grant, { replaces: olderOf(subject), evicts: verdict.evict })
      dormitory.remove(subject.id)
      for (const id of ended) parkEvicted(id, subject)
      return verdict
    } catch (error) {
      if (!(error instanceof NoCapacityError)) throw error
      const reason = { rule: 'capacity', outcome: 'defer' as const, message: messageOf(error) }
      return park(
        subject,
        parkedVerdict({ ...verdict, redirect: verdict.redirect || mayRedirect() }, [{ on: 'capacity' }], reason),
        asOf,
      )
    }
  }

  /** The run of a service that may not run any more, and that of an older version whose successor does not run here. */
  function stopRuns(subject: Subject, verdict: Verdict): Promise<void> | undefined {
    const why = verdict.reasons.find(({ outcome }) => outcome !== 'pass')?.message ?? 'the policy does not let it run'
    const ends: (Promise<void> | undefined)[] = []
    if (isUnderWay(subject.id)) {
      const graceMs = unsafeGrace(components.trust.factsOf(trustSubjectOf(subject.signed)))
      ends.push(runs.stop(subject.id, { why: `not by the policy in force: ${why}`, graceMs }))
    }
    const older = olderOf(subject)
    if (older !== undefined && dispositionOf(verdict) !== 'parked' && isUnderWay(older)) {
      ends.push(runs.stop(older, { why: 'its newer version is not run here' }))
    }
    const stopping = ends.filter((end) => end !== undefined)
    if (stopping.length === 0) return undefined
    return Promise.all(stopping).then(
      () => {},
      (error: unknown) => log.warn('a run could not be stopped', { id: subject.id, reason: messageOf(error) }),
    )
  }

  /** The older version that runs here, or else the one before: those between were never run here. */
  function olderOf({ predecessor }: Subject): string | undefined {
    let id = predecessor
    for (let n = 0; n < MAX_OLDER && id !== undefined; n++) {
      if (isUnderWay(id)) return id
      id = journal.announcements.stateOf(id)?.predecessor
    }
    return predecessor
  }

  function grantOf(id: string): Grant | undefined {
    return runs.granted().find(({ service, ending }) => service === id && !ending)?.grant
  }

  function isUnderWay(id: string): boolean {
    return grantOf(id) !== undefined
  }

  function isEnding(id: string): boolean {
    return runs.granted().some(({ service, ending }) => service === id && ending)
  }

  function withinLimits(subject: Subject, verdict: Verdict): Verdict {
    const { id, signed } = subject
    if (verdict.run === false || isUnderWay(id)) return verdict
    const known = components.evaluator.factsFor(subject)
    // one that ran when the runner was asked, and has ended since, has made room already
    const gone = (other: string) => known.running.every(({ id }) => id !== other) && journal.runs.ofService(other)
    const evict = verdict.evict?.filter((other) => !gone(other))
    const problem = limitError({ ...verdict, evict }, texts.ofBytes(signed.body.author), known)
    return problem === undefined ? verdict : declined(verdict, beyondLimits(problem), mayRedirect())
  }

  function applyVerdict(subject: Subject, asked: Verdict, asOf: number): Omit<ApplyResult, 'displaced'> {
    const { id } = subject
    const verdict = withinLimits(subject, asked)
    const held = grantOf(id)
    if (verdict.run !== false && held !== undefined && verdict.run.executor !== held.executor) {
      return applyVerdict(subject, moved(verdict, held, verdict.run), asOf)
    }
    if (verdict.run !== false && held !== undefined) {
      // a run keeps the grant under which it began: nothing takes memory away from a process that has it
      dormitory.remove(id)
      return { verdict: { ...verdict, run: held, evict: undefined }, stopped: undefined }
    }
    if (verdict.run !== false) {
      const done = start(subject, verdict, verdict.run, asOf)
      return { verdict: done, stopped: done.run === false ? stopRuns(subject, done) : undefined }
    }
    const why = held === undefined ? undefined : noRestartReason(subject)
    const last = why === undefined ? verdict : finalVerdict(verdict, why, mayRedirect())
    const parks = dispositionOf(last) === 'parked'
    const stopped = stopRuns(subject, last)
    if (parks) return { verdict: park(subject, last, asOf), stopped }
    dormitory.remove(id)
    return { verdict: last, stopped }
  }

  /** What hubs and roots said while its runner was thinking wakes what it parked. */
  function wakeIfTrustChanged({ id, signed }: Subject, trustFacts: TrustFacts): void {
    const sleeper = dormitory.get(id)
    if (sleeper === undefined) return
    const now = components.trust.factsOf(trustSubjectOf(signed))
    if (!isDeepStrictEqual(trustFacts, now)) wakeOnTrustChange(dormitory, id, sleeper.on)
  }

  /** All of it or nothing; then those hear of it who had to make room. */
  function inTransaction<T>(work: () => T): T {
    const mine: (() => void)[] = []
    afterCommit = mine
    displaced = []
    const result = journal.transaction(work)
    for (const tell of mine) tell()
    return result
  }

  return {
    apply: (subject, { verdict, failure, error, trustFacts }, asOf) =>
      inTransaction(() => {
        if (error !== undefined) {
          write(subject.id, undefined, failure)
          return { verdict, stopped: undefined, displaced }
        }
        const outcome = applyVerdict(subject, verdict, asOf)
        write(subject.id, outcome.verdict)
        if (trustFacts !== undefined) afterCommit.push(() => wakeIfTrustChanged(subject, trustFacts))
        return { ...outcome, displaced }
      }),
    noRestartReason: noRestartReason,
    unpark: ({ id }, why) =>
      inTransaction(() => {
        dormitory.remove(id)
        decline(id, why)
      }),
  }
}
