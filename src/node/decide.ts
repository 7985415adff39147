import { decodeAddress } from '../../protocols/address.ts'
import type { Ticket } from '../../protocols/redirection.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Grant, Verdict } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import type { RunnableService } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import {
  NOTHING_KNOWN,
  type ReceivedService,
  RunnerError,
  type RunnerSnapshot,
  toReceivedService,
} from '../runner/index.ts'
import type { AddressTexts } from './address-text.ts'
import type { NodeEvents } from './events.ts'
import type { Facts } from './facts.ts'
import type { Receipts } from './receipts.ts'
import { runnableOf } from './runnable.ts'
import type { ServiceEntry, SignedService } from './services.ts'

export interface DecideComponents {
  clock: Clock
  log: Log
  events: Emitter<NodeEvents>
  journal: Pick<Journal, 'announcements' | 'verdicts' | 'stops' | 'runs'>
  facts: Facts
  runner: {
    decide(
      service: ReceivedService,
      snapshot: RunnerSnapshot,
      options: { signal?: AbortSignal | undefined },
    ): Promise<Verdict>
  }
  runs: {
    /** Journals the intent and returns; what follows is told by events. Throws where the room is taken. */
    run(service: RunnableService, grant: Grant, options: { replaces?: string | undefined }): void
    stop(service: string, options: { why: string }): Promise<void>
  }
  receipts: Receipts
  texts: AddressTexts
}

export interface Decide {
  /** Intake's decider: asked once for each new service. Throws a RunnerError where the runner failed. */
  decide(
    signed: SignedService,
    ticket: Ticket,
    options: { signal?: AbortSignal | undefined },
  ): Promise<{ redirect: boolean }>
  /** What the runner would say now; nothing is journalled or done. */
  dryRun(entry: ServiceEntry, options?: { signal?: AbortSignal | undefined }): Promise<Decision>
  /** Carries out a verdict that was journalled and not acted on (the node was killed between the two). */
  resume(entry: ServiceEntry): void
}

export type Decision = {
  readonly verdict: Verdict
  /** how the runner failed instead of answering */
  readonly failure?: string | undefined
  readonly error?: RunnerError | undefined
}

export function createDecide(components: DecideComponents, init: { policy(): Policy; closing: AbortSignal }): Decide {
  const { clock, log, events, journal, facts, runner, runs, receipts, texts } = components

  async function ask(signed: SignedService, depth: number, signal?: AbortSignal): Promise<Decision> {
    const service = toReceivedService(signed.id, signed.body, signed.bytes.byteLength, texts.of)
    const snapshot: RunnerSnapshot = { ...facts.current(), ...NOTHING_KNOWN, depth, now: nowSeconds(clock) }
    try {
      return { verdict: await runner.decide(service, snapshot, { signal }) }
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      // an operator's broken runner neither runs nor passes on: silence is the only safe answer
      const reasons = [
        { rule: 'runner', outcome: 'fail' as const, message: 'the runner of this node failed to answer' },
      ]
      return { verdict: { run: false, redirect: false, reasons }, failure: messageOf(error), error }
    }
  }

  /** Starts the run of a verdict. A verdict that can not be carried out any more becomes a refusal that is passed on. */
  function act(signed: SignedService, decision: Decision, predecessor: string | undefined): Decision {
    const id = signed.id.toString()
    const { verdict } = decision
    if (verdict.run !== false && journal.runs.ofService(id) === undefined) {
      try {
        runs.run(runnableOf(signed, texts), verdict.run, { replaces: predecessor })
        return decision
      } catch (error) {
        const reason = { rule: 'LIMITS', outcome: 'fail' as const, message: messageOf(error) }
        return { verdict: { run: false, redirect: true, reasons: [...verdict.reasons, reason] } }
      }
    }
    if (verdict.run === false && predecessor !== undefined && journal.runs.ofService(predecessor) !== undefined) {
      runs.stop(predecessor, { why: 'its newer version is not run here' }).catch((error: unknown) => {
        log.warn('the older version of a service could not be stopped', { id: predecessor, reason: messageOf(error) })
      })
    }
    return decision
  }

  function write(id: string, { verdict, failure, error }: Decision): void {
    const policy = Uint8Array.from(Buffer.from(init.policy().hash, 'hex'))
    journal.verdicts.add({
      service: id,
      at: clock.now(),
      policy,
      verdict: error === undefined ? verdict : undefined,
      failure,
    })
  }

  function tell(signed: SignedService, verdict: Verdict): void {
    const { replyTo, author } = signed.body
    const { redirect: redirected, reasons } = verdict
    const statement = { service: signed.id.toString(), state: stateOf(verdict), redirected, reasons }
    receipts.send(statement, { replyTo, author: decodeAddress(author) }, init.closing)
  }

  /** Journalled before it is done: what a crash leaves undone is taken up by `resume`. */
  function carryOut(signed: SignedService, decision: Decision, predecessor: string | undefined): Decision {
    const id = signed.id.toString()
    write(id, decision)
    const done = act(signed, decision, predecessor)
    if (done !== decision) write(id, done)
    return done
  }

  return {
    async decide(signed, ticket, { signal }) {
      const id = signed.id.toString()
      const began = clock.monotonic()
      // the node was killed between its verdict and what follows from it: it stands, or its own run would weigh against it
      const stands = journal.verdicts.latest(id)?.verdict
      if (stands !== undefined) {
        if (stands.run === false) {
          act(signed, { verdict: stands }, journal.announcements.standing(id)?.follows)
          tell(signed, stands)
        }
        return { redirect: stands.redirect }
      }
      const asked = await ask(signed, ticket.depth, signal)
      const record = journal.announcements.standing(id)
      // stopped or superseded while the runner was thinking: its word is about something that is over
      if (record !== undefined && record.state !== 'live') return { redirect: false }
      const decision = journal.stops.has(id) ? stoppedHere(asked) : asked
      const { verdict, failure, error } = carryOut(signed, decision, record?.follows)
      events.emit('node:verdict', { id, name: signed.body.name, verdict, failure, tookMs: clock.monotonic() - began })
      tell(signed, verdict)
      log.debug('decided', {
        id,
        author: texts.ofBytes(signed.body.author),
        run: verdict.run !== false,
        redirect: verdict.redirect,
      })
      // a runner's failure is no verdict: whoever asked asks again later
      if (error !== undefined) throw error
      return { redirect: verdict.redirect }
    },
    dryRun: ({ signed, record }, { signal } = {}) => ask(signed, record.depth, signal),
    resume({ signed, verdict, record }) {
      if (verdict?.verdict === undefined) return
      const decision = { verdict: verdict.verdict }
      const done = act(signed, decision, record.follows)
      if (done !== decision) write(signed.id.toString(), done)
    },
  }
}

function stateOf(verdict: Verdict): 'accepted' | 'parked' | 'redirected' | 'refused' {
  if (verdict.run !== false) return 'accepted'
  if ((verdict.park?.length ?? 0) > 0) return 'parked'
  return verdict.redirect ? 'redirected' : 'refused'
}

/** The operator's stop outlives whatever the policy says. */
function stoppedHere({ verdict }: Decision): Decision {
  const reason = {
    rule: 'operator',
    outcome: 'fail' as const,
    message: 'the operator of this node has stopped the service',
  }
  return { verdict: { run: false, redirect: verdict.redirect, reasons: [reason, ...verdict.reasons] } }
}
