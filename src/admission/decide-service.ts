import { decodeAddress } from '../../protocols/address.ts'
import type { Ticket } from '../../protocols/redirection.ts'
import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Verdict } from '../base/verdict.ts'
import type { Dormitory } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Receipts } from '../services/receipts.ts'
import type { ServiceEntry, SignedService } from '../services/registry.ts'
import type { Applier } from './apply.ts'
import { dispositionOf } from './disposition.ts'
import type { Decision, Evaluator, Subject } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { OperatorOrders } from './operator/orders.ts'
import type { RuleCounters } from './rule-counters.ts'

export interface ServiceDeciderComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  journal: Pick<Journal, 'announcements' | 'verdicts' | 'stops'>
  evaluator: Evaluator
  applier: Applier
  dormitory: Pick<Dormitory, 'eventCounter'>
  receipts: Receipts
  counters: RuleCounters
  texts: AddressTexts
  orders: Pick<OperatorOrders, 'apply'>
}

export interface ServiceDecider {
  /** Intake's decider: asked once for each new service. Throws a RunnerError where the runner failed. */
  decide(
    signed: SignedService,
    ticket: Ticket,
    options: { signal?: AbortSignal | undefined },
  ): Promise<{ redirect: boolean }>
  /** What the runner would answer now; nothing is journalled or done. */
  dryRun(entry: ServiceEntry, options?: { signal?: AbortSignal | undefined }): Promise<Decision>
  /** Carries out a verdict that was journalled and not acted on (the node was killed between the two). */
  resume(entry: ServiceEntry): void
}

export function createServiceDecider(
  components: ServiceDeciderComponents,
  init: { closing: AbortSignal },
): ServiceDecider {
  const { clock, log, events, journal, evaluator, applier, dormitory, receipts, counters, texts, orders } = components

  /** `predecessor`: an update travels where the version before it does, whatever is decided about it. */
  function sendReceipt(signed: SignedService, verdict: Verdict, predecessor: string | undefined): void {
    const { replyTo, author } = signed.body
    const { reasons } = verdict
    const before = predecessor === undefined ? undefined : journal.announcements.get(predecessor)
    const redirected = verdict.redirect || before?.redirect === true
    const disposition = dispositionOf(verdict)
    const state = disposition === 'run' ? 'accepted' : disposition
    const statement = { service: signed.id.toString(), state, redirected, reasons } as const
    receipts.send(statement, { replyTo, author: decodeAddress(author) }, init.closing)
  }

  return {
    async decide(signed, ticket, { signal }) {
      const id = signed.id.toString()
      const began = clock.monotonic()
      // the node was killed between its verdict and intake's note of it: it is in force, and what follows from it is done
      const inForce = journal.verdicts.latest(id)?.verdict
      if (inForce !== undefined) {
        if (inForce.run === false) sendReceipt(signed, inForce, journal.announcements.stateOf(id)?.predecessor)
        return { redirect: inForce.redirect }
      }
      const sinceEvent = dormitory.eventCounter()
      const before = journal.announcements.stateOf(id)
      const subject = { id, signed, depth: ticket.depth, predecessor: before?.predecessor, arrived: clock.now() }
      const asked = await evaluator.evaluate(subject, { signal })
      const record = journal.announcements.stateOf(id)
      // stopped or superseded while the runner was asked: the verdict is about something that is over
      if (record !== undefined && record.state !== 'live') return { redirect: false }
      const { failure, error } = asked
      const decision = journal.stops.has(id) ? stoppedHere(asked) : asked
      const { verdict } = applier.apply(subject, decision, sinceEvent)
      const { name } = signed.body
      counters.count({ id, name }, verdict.reasons)
      events.emit('node:verdict', { id, name, verdict, failure, tookMs: clock.monotonic() - began })
      sendReceipt(signed, verdict, subject.predecessor)
      log.debug('decided', {
        id,
        author: texts.ofBytes(signed.body.author),
        run: verdict.run !== false,
        redirect: verdict.redirect,
      })
      // a runner's failure is not a verdict: intake asks again later
      if (error !== undefined) throw error
      return { redirect: verdict.redirect }
    },
    dryRun: (entry, { signal } = {}) => evaluator.evaluate(subjectOf(entry), { signal }),
    resume(entry) {
      if (entry.verdict?.verdict === undefined) return
      const subject = subjectOf(entry)
      applier.apply(subject, { verdict: orders.apply(subject, entry.verdict.verdict) }, dormitory.eventCounter())
    },
  }
}

export function subjectOf({ id, signed, record }: ServiceEntry): Subject {
  return { id, signed, depth: record.depth, predecessor: record.predecessor, arrived: record.receivedAt }
}

/** The operator's stop outlives whatever the policy says. */
function stoppedHere({ verdict, ...rest }: Decision): Decision {
  const reason = {
    rule: 'operator',
    outcome: 'fail' as const,
    message: 'the operator of this node has stopped the service',
  }
  return { ...rest, verdict: { run: false, redirect: verdict.redirect, reasons: [reason, ...verdict.reasons] } }
}
