import { type Announcement, type Signed, timeWindowError, verifyAnnouncement } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import { checkTicket } from '../../protocols/redirection.ts'
import { nowSeconds } from '../base/clock.ts'
import { InputError, messageOf } from '../base/errors.ts'
import { createAnnouncementCache, type Entry } from './announcement-cache.ts'
import { HOLD_MS, JOURNAL_WARN_MS } from './constants.ts'
import { countingEvents, zeroCounts } from './counters.ts'
import { createDecisionQueue } from './decision-queue.ts'
import { createDeferredPulls } from './deferred-pulls.ts'
import { createDenylist } from './denylist.ts'
import type { DropReason } from './events.ts'
import { createForwarder } from './forwarder.ts'
import { decideForward, type ForwardState, type IncomingCopy } from './forwarding-rules.ts'
import { createIngest, type IngestResult, type Source } from './ingest.ts'
import { createMaintenance } from './maintenance.ts'
import { createPendingCopies } from './pending-copies.ts'
import { createQuotas } from './quotas.ts'
import { rejection } from './rejection-reasons.ts'
import { createSyncSource } from './sync-source.ts'
import type { Intake, IntakeComponents, IntakeInit, PublishOutcome, SubmitVia } from './types.ts'
import { createVersionHistory } from './version-history.ts'

/** The ways in. What the node itself hands in has no limit. */
const GOSSIP = { via: 'gossip', delivery: 'gossip', stopsOnly: false, limited: true } as const
const SOURCES: Record<SubmitVia, Omit<Source, 'from'>> = {
  sync: { via: 'sync', delivery: 'pulled', stopsOnly: false, limited: true },
  tell: { via: 'sync', delivery: 'pulled', stopsOnly: true, limited: true },
  api: { via: 'api', delivery: 'api', stopsOnly: false, limited: true },
  local: { via: 'local', delivery: 'pulled', stopsOnly: false, limited: false },
}
const OWN = { via: 'local', from: undefined, own: true, redirect: true } as const

export function createIntake(components: IntakeComponents, init: IntakeInit): Intake {
  const { clock, log, journal, keys, mesh, score } = components
  const { holdMs = HOLD_MS } = init
  const counts = zeroCounts()
  const events = countingEvents(components.events, counts)
  const deferred = createDeferredPulls(init.quotas.deferredMax)
  const denylist = createDenylist(clock)
  const cache = createAnnouncementCache(journal.announcements)
  const stateOf = (entry: Entry): ForwardState => ({
    best: entry.bestTicket.depth,
    // a verdict that failed is none to wait for
    redirect: entry.redirect ?? (decisions.has(entry.id) ? undefined : false),
    own: entry.own,
    emitted: entry.emitted,
    ended: entry.ended,
    limit: init.redirectionDepth(),
    reach: entry.reach.depth,
    issued: entry.issued,
    expires: entry.expires,
  })
  const pending = createPendingCopies({ clock }, { max: init.quotas.queueMax })
  const forwarder = createForwarder({ clock, log, events, cache, mesh, pending, stateOf })
  const decisions = createDecisionQueue(
    { log, cache, decider: components.decider, onVerdict: forwarder.onVerdict, onSettled: releaseStaleCopies },
    { max: init.quotas.queueMax },
  )
  const quotas = createQuotas({ clock, journal }, init.quotas)
  const versions = createVersionHistory({ clock, events, journal, cache })
  const ingest = createIngest(
    { clock, keys, cache, quotas, versions, denylist, hasCapacity: () => decisions.hasCapacity },
    init.network,
  )
  const maintenance = createMaintenance(
    { clock, log, journal, cache, decisions, forwarder, deferred, mesh, onForgotten: components.onForgotten },
    init.quotas,
  )

  let warnedAt = Number.NEGATIVE_INFINITY

  /** What helps, where something does, is in the error's own words. */
  function warn(unwritten: Error): void {
    if (clock.monotonic() - warnedAt < JOURNAL_WARN_MS) return
    warnedAt = clock.monotonic()
    log.warn('announcements are not taken until the journal can be written', { reason: messageOf(unwritten) })
  }

  function drop(why: DropReason, source: Source, id?: CID): void {
    events.emit('intake:dropped', { why, via: source.via, from: source.from, id: id?.toString() })
  }

  /** Takes the bytes in and does what follows from it; only the answer to the sender is left to the caller. */
  function take(bytes: Uint8Array, source: Source): IngestResult {
    const result = ingest(bytes, source)
    const { outcome, entry, fresh } = result
    if (outcome.outcome === 'refused') {
      if (outcome.why === 'invalid')
        events.emit('intake:refused', { via: source.via, from: source.from, reason: outcome.reason })
      else if (outcome.why === 'early' || outcome.why === 'expired' || outcome.why === 'older') counts.outdated++
      else drop(outcome.why, source, result.deferred)
      if (result.aheadMs !== undefined)
        events.emit('intake:early', { via: source.via, from: source.from, aheadMs: result.aheadMs })
      if (result.unwritten !== undefined) warn(result.unwritten)
      if (result.deferred !== undefined) deferPull(result.deferred, source)
      return result
    }
    deferred.done(outcome.id)
    if (outcome.outcome === 'known') counts.known++
    if (entry !== undefined && outcome.outcome === 'better') {
      events.emit('intake:better', { id: entry.id, depth: entry.bestTicket.depth, from: source.from })
      void forwarder.emit(entry)
      releaseStaleCopies(entry)
    }
    if (entry !== undefined && fresh !== undefined) onAccepted(entry, fresh, source)
    return result
  }

  function onAccepted(entry: Entry, signed: Signed, source: Source): void {
    maintenance.grown()
    if (source.from !== undefined && source.via !== 'api') score.delivered(source.from)
    if (signed.kind === 'stop') void forwarder.emit(entry, signed)
    else decisions.start(entry, signed)
  }

  function deferPull(cid: CID, source: Source): void {
    if (source.from === undefined || source.via === 'api') return
    if (!deferred.add(cid.toString(), cid, source.from)) drop('missed-full', source)
  }

  /** Copies that cannot become this node's emission any more keep no sender waiting. */
  function releaseStaleCopies(entry: Entry): void {
    for (const { incoming, answer } of pending.of(entry.id)) {
      const decision = decideForward(stateOf(entry), incoming, nowSeconds(clock))
      if (decision !== 'wait' && !(decision === 'hold' && holdMs > 0)) answer('ignore')
    }
  }

  /** The answer to gossip; an accepted copy is this node's emission. */
  function answer(entry: Entry, incoming: IncomingCopy): ReturnType<typeof decideForward> {
    const decision = decideForward(stateOf(entry), incoming, nowSeconds(clock))
    try {
      if (decision === 'accept' && incoming.valid) forwarder.forward(entry, incoming.depth)
    } catch (error) {
      // what could not be journalled is not forwarded: after a restart it would be forwarded again
      log.warn('a copy is not forwarded', { id: entry.id, reason: messageOf(error) })
      return 'ignore'
    }
    return decision
  }

  /** Only half of the capacity is for copies that may matter later; the rest is for those that wait for a verdict. */
  const canHold = () => holdMs > 0 && pending.count < init.quotas.queueMax / 2

  /** The answer that a copy gets after a while; undefined where too many wait. */
  function waitForAnswer(entry: Entry, incoming: IncomingCopy, ms: number): Promise<'accept' | 'ignore'> | undefined {
    const { promise, resolve } = Promise.withResolvers<'accept' | 'ignore'>()
    return pending.add(entry.id, { incoming, answer: resolve }, ms) ? promise : undefined
  }

  function tooMany(source: Source, entry: Entry): 'ignore' {
    drop('waiting-full', source, entry.cid)
    return 'ignore'
  }

  return {
    async gossip(bytes, from) {
      const source = { ...GOSSIP, from }
      const { incoming, entry } = take(bytes, source)
      if (entry === undefined) return incoming.valid ? 'ignore' : 'reject'
      const decision = answer(entry, incoming)
      switch (decision) {
        case 'wait':
          return (await waitForAnswer(entry, incoming, init.verdictTimeoutMs)) ?? tooMany(source, entry)
        case 'hold':
          return (canHold() ? await waitForAnswer(entry, incoming, holdMs) : undefined) ?? 'ignore'
        default:
          return decision
      }
    },

    submit: async (bytes, via, from) => take(bytes, { ...SOURCES[via], from }).outcome,

    async publish({ signed, ticket }: Announcement): Promise<PublishOutcome> {
      const id = signed.id.toString()
      checkTicket(signed.body.reach, ticket)
      verifyAnnouncement(signed, init.network, keys)
      const time = timeWindowError(signed.body, nowSeconds(clock))
      if (time !== undefined) throw new InputError(`"${signed.body.name}" cannot be published: ${reasonOf(time)}`)
      const version = versions.lookup(signed)
      const { newer } = version
      if (newer !== undefined) {
        throw new InputError(
          `seq: is ${signed.body.seq}, but a ${newer.kind} of "${signed.body.name}" with seq ${newer.seq} is known: it must be higher`,
        )
      }
      const known = cache.get(id)
      const entry = known ?? versions.commit(signed, ticket, OWN, version)
      if (entry === undefined) throw new InputError(`${id} is being taken in already`)
      if (known !== undefined) {
        cache.updateTicket(known, ticket)
        cache.setOwn(known)
      } else maintenance.grown()
      return { id, mesh: forwarder.emit(entry, known === undefined ? signed : undefined) }
    },

    setRedirect(id, redirect) {
      const entry = cache.get(id)
      if (entry === undefined || entry.kind === 'stop' || decisions.has(id)) return
      const predecessor = entry.predecessor === undefined ? undefined : cache.get(entry.predecessor)
      cache.setRedirect(entry, redirect || entry.own || predecessor?.redirect === true)
      void forwarder.emit(entry)
    },

    syncSource: createSyncSource({
      clock,
      announcements: journal.announcements,
      cache,
      forwarder,
      denylist,
      stateOf,
      redirectionDepth: init.redirectionDepth,
      submit: async (bytes, via, from) => take(bytes, { ...SOURCES[via], from }).outcome,
    }),

    boot: () => maintenance.start(),

    async idle() {
      await maintenance.idle()
      await decisions.idle()
      await forwarder.idle()
    },

    stats: () => ({
      ...structuredClone(counts),
      deciding: decisions.pending,
      decisionsFailed: decisions.failed,
      copiesWaiting: pending.count,
      deferred: deferred.size,
      deferredLost: deferred.lost,
    }),

    async [Symbol.asyncDispose]() {
      maintenance[Symbol.dispose]()
      decisions[Symbol.dispose]()
      pending[Symbol.dispose]()
      await this.idle()
      log.debug('intake has ended', counts)
    },
  }
}

function reasonOf(why: 'early' | 'expired'): string {
  const outcome = rejection(why)
  return outcome.outcome === 'refused' ? outcome.reason : ''
}
