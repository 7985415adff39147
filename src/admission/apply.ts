import { isDeepStrictEqual } from 'node:util'
import { equals } from 'uint8arrays'
import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { ParkedService } from '../base/parked-service.ts'
import type { Grant, Verdict } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import type { Dormitory, RunnableService } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import { runnableOf } from '../services/runnable.ts'
import type { Trust, TrustFacts } from '../trust/index.ts'
import type { Decision, Subject } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { NodeFactsSource } from './facts/node-facts.ts'
import { normalizeVerdict } from './normalize-verdict.ts'
import { planChanges, planDrained, planStandBy } from './plan/plan-changes.ts'
import { planEndOfParking } from './plan/plan-parking.ts'
import { type Outcome, type PlannedChange, planOutcome } from './plan/planned-change.ts'
import { mayRedirect, type StateReader } from './plan/state-reader.ts'
import { trustSubjectOf, wakeOnTrustChange } from './trust-subject.ts'

export interface ApplierComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  journal: Pick<Journal, 'verdicts' | 'transaction'>
  reader: StateReader
  facts: Pick<NodeFactsSource, 'forget'>
  dormitory: Pick<Dormitory, 'park' | 'remove' | 'get' | 'wake'>
  runs: {
    /** Journals the intent. Throws where the capacity is taken. */
    run(
      service: RunnableService,
      grant: Grant,
      options: { replaces?: string | undefined; evicts?: readonly string[] | undefined },
    ): void
    /** Journals the wish before it returns; resolves when the run has ended. */
    stop(service: string, options: { why: string; graceMs?: number | undefined }): Promise<void>
  }
  /** What is planned as a claim is claimed; any other outcome ends a claim. */
  claims: {
    claim(service: string, grant: Grant, options: { now: boolean }): void
    withdraw(service: string): void
  }
  trust: Pick<Trust, 'factsOf'>
  texts: AddressTexts
  /** Another service had to make way, here or in the dormitory. It is journalled. */
  onDisplaced(id: string): void
}

/** What became of a decision, and the end of the runs that it stopped. */
export type ApplyResult = Outcome & { readonly stopped: Promise<void> | undefined }

export interface Applier {
  /**
   * Does what a verdict says, as far as this node permits: plans the changes, commits them to the journal in one transaction, so that a
   * crash leaves all or nothing, then publishes them. `sinceEvent` is the value of the dormitory's event counter
   * before the runner was asked.
   */
  apply(subject: Subject, decision: Decision, sinceEvent: number): ApplyResult
  /** Other nodes go first: it runs no longer, and waits for a replica to be missing. */
  standBy(subject: Subject, why: string): ApplyResult | undefined
  /** The node is drained: it runs no longer, and waits for the end of the drain. */
  drained(subject: Subject, why: string): ApplyResult | undefined
  /** It does not wait any longer. */
  unpark(parked: ParkedService, why: string): void
}

export function createApplier(components: ApplierComponents, init: { policy(): Policy }): Applier {
  const { clock, log, events, journal, reader, facts, dormitory, runs, claims, texts, trust } = components

  /** All of it or nothing. Resolves when the runs that it stops have ended; undefined where it stops none. */
  function commit(id: string, changes: readonly PlannedChange[]): Promise<void> | undefined {
    const ends: Promise<void>[] = []
    journal.transaction(() => {
      for (const change of changes) commitOne(change, ends)
    })
    return ends.length === 0 ? undefined : untilStopped(id, ends)
  }

  function commitOne(change: PlannedChange, ends: Promise<void>[]): void {
    switch (change.do) {
      case 'start': {
        const { subject, grant, replaces, evicts } = change
        runs.run(runnableOf(subject.signed, texts), grant, { replaces, evicts })
        return
      }
      case 'stop':
        ends.push(runs.stop(change.id, { why: change.why, graceMs: change.graceMs }))
        return
      case 'park':
        dormitory.park(change.service, change.sinceEvent, change.place)
        return
      case 'unpark':
        dormitory.remove(change.id)
        return
      case 'claim':
        // in memory, once the rest is journalled
        return
      case 'record':
        write(change.id, change.verdict)
    }
  }

  function write(id: string, verdict: Verdict | undefined, failure?: string): void {
    const policy = Uint8Array.from(Buffer.from(init.policy().hash, 'hex'))
    const last = journal.verdicts.latest(id)
    facts.forget(id)
    // what is parked gets the same verdict again and again: that is no news, and would evict from the journal what is
    if (last !== undefined && equals(last.policy, policy) && isDeepStrictEqual(last.verdict, normalizeVerdict(verdict)))
      return
    journal.verdicts.add({ service: id, at: Math.floor(clock.now()), policy, verdict, failure })
  }

  /** What others learn, now that it is journalled. */
  function publish(id: string, changes: readonly PlannedChange[]): void {
    if (!changes.some((change) => change.do === 'claim')) claims.withdraw(id)
    for (const change of changes) {
      if (change.do === 'claim') claims.claim(change.id, change.grant, { now: change.now })
      if (change.do === 'park' && change.isNew) {
        const { id: parked, on } = change.service
        const until = Math.floor(change.place.until / 1000)
        events.emit('node:parked', { id: parked, name: change.name, until, on: on.map((one) => one.on) })
      }
      if (change.do !== 'record' || change.displaced === undefined) continue
      const { verdict, displaced } = change
      if (displaced.evicted !== undefined) {
        const { name, by } = displaced.evicted
        events.emit('node:evicted', { id: change.id, name, by, parked: (verdict.park?.length ?? 0) > 0 })
      }
      components.onDisplaced(change.id)
    }
  }

  async function untilStopped(id: string, ends: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(ends)
    } catch (error) {
      log.warn('a run could not be stopped', { id, reason: messageOf(error) })
    }
  }

  /** Without asking the runner: the verdict in force stays, but for where it waits now. */
  function endRun(subject: Subject, why: string, plan: typeof planStandBy): ApplyResult | undefined {
    const { id } = subject
    const verdict = journal.verdicts.latest(id)?.verdict
    if (verdict === undefined) return undefined
    // what happened before does not matter to it: replicas are looked for again and again
    const state = reader.read(init.policy().config, { subject, verdict, sinceEvent: Number.POSITIVE_INFINITY })
    const changes = plan(subject, verdict, why, state)
    const stopped = commit(id, changes)
    publish(id, changes)
    return { ...planOutcome(changes, subject), stopped }
  }

  /** What hubs and roots said while the runner was asked wakes what its verdict parked. */
  function wakeIfTrustChanged({ id, signed }: Subject, trustFacts: TrustFacts): void {
    const parked = dormitory.get(id)
    if (parked === undefined) return
    const now = trust.factsOf(trustSubjectOf(signed))
    if (!isDeepStrictEqual(trustFacts, now)) wakeOnTrustChange(dormitory, id, parked.on)
  }

  return {
    apply(subject, { verdict: asked, failure, error, trustFacts }, sinceEvent) {
      const { id } = subject
      if (error !== undefined) {
        journal.transaction(() => write(id, undefined, failure))
        return { verdict: asked, displaced: [], stopped: undefined }
      }
      const state = reader.read(init.policy().config, { subject, verdict: asked, sinceEvent })
      const changes = planChanges(subject, asked, state)
      const stopped = commit(id, changes)
      publish(id, changes)
      if (trustFacts !== undefined) wakeIfTrustChanged(subject, trustFacts)
      return { ...planOutcome(changes, subject), stopped }
    },
    standBy: (subject, why) => endRun(subject, why, planStandBy),
    drained: (subject, why) => endRun(subject, why, planDrained),
    unpark({ id }, why) {
      const verdict = journal.verdicts.latest(id)?.verdict
      const changes = planEndOfParking(id, why, verdict, mayRedirect(init.policy().config))
      void commit(id, changes)
      publish(id, changes)
    },
  }
}
