import { type Announcement, outOfTime, type Signed, verifyAnnouncement } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import { checkTicket } from '../../protocols/redirection.ts'
import { nowSeconds } from '../base/clock.ts'
import { InputError, messageOf } from '../base/errors.ts'
import { createBook, type Entry } from './announcement-cache.ts'
import { HOLD_MS } from './constants.ts'
import { countingEvents, zeroCounts } from './counters.ts'
import { createDeciding } from './decision-queue.ts'
import { createMissed } from './deferred-pulls.ts'
import { createUnwanted } from './denylist.ts'
import type { DropReason } from './events.ts'
import { createEmitting } from './forwarder.ts'
import { type GateArrival, type GateState, gate } from './forwarding-rules.ts'
import { createTaking, type Taken, type Way } from './ingest.ts'
import { createUpkeep } from './maintenance.ts'
import { createWaiting } from './pending-copies.ts'
import { createQuotas } from './quotas.ts'
import { refused } from './rejection-reasons.ts'
import { createSource } from './sync-source.ts'
import type { Intake, IntakeComponents, IntakeInit, PublishOutcome, SubmitVia } from './types.ts'
import { createSuccession } from './version-history.ts'

/** The ways in. What the node itself hands in has no limit. */
const GOSSIP = { via: 'gossip', push: 'gossip', stopsOnly: false, limited: true } as const
const WAYS: Record<SubmitVia, Omit<Way, 'from'>> = {
  sync: { via: 'sync', push: 'pulled', stopsOnly: false, limited: true },
  tell: { via: 'sync', push: 'pulled', stopsOnly: true, limited: true },
  api: { via: 'api', push: 'api', stopsOnly: false, limited: true },
  local: { via: 'local', push: 'pulled', stopsOnly: false, limited: false },
}
const OWN = { via: 'local', from: undefined, own: true, redirect: true } as const

export function createIntake(components: IntakeComponents, init: IntakeInit): Intake {
  const { clock, log, journal, keys, mesh, score } = components
  const { holdMs = HOLD_MS } = init
  const counts = zeroCounts()
  const events = countingEvents(components.events, counts)
  const missed = createMissed(init.quotas.missedMax)
  const unwanted = createUnwanted(clock)
  const book = createBook(journal.announcements)
  const stateOf = (entry: Entry): GateState => ({
    best: entry.best.depth,
    // a verdict that failed is none to wait for
    redirect: entry.redirect ?? (deciding.has(entry.id) ? undefined : false),
    own: entry.own,
    emitted: entry.emitted,
    over: entry.over,
    limit: init.redirectionDepth(),
    reach: entry.reach.depth,
    issued: entry.issued,
    expires: entry.expires,
  })
  const waiting = createWaiting({ clock }, { max: init.quotas.queueMax })
  const emitting = createEmitting({ clock, log, events, book, mesh, waiting, stateOf })
  const deciding = createDeciding(
    { log, book, decider: components.decider, onVerdict: emitting.settle, onSettled: letGo },
    { max: init.quotas.queueMax },
  )
  const quotas = createQuotas({ clock, journal }, init.quotas)
  const succession = createSuccession({ clock, events, journal, book })
  const taking = createTaking(
    { clock, keys, book, quotas, succession, unwanted, hasRoom: () => deciding.room },
    init.network,
  )
  const upkeep = createUpkeep({ clock, log, journal, book, deciding, emitting, missed, mesh }, init.quotas)

  function drop(why: DropReason, way: Way, id?: CID): void {
    events.emit('intake:dropped', { why, via: way.via, from: way.from, id: id?.toString() })
  }

  /** Takes the bytes in and does what follows from it; only the answer to the sender is left to the caller. */
  function take(bytes: Uint8Array, way: Way): Taken {
    const taken = taking(bytes, way)
    const { outcome, entry, fresh } = taken
    if (outcome.outcome === 'refused') {
      if (outcome.why === 'invalid')
        events.emit('intake:refused', { via: way.via, from: way.from, reason: outcome.reason })
      else if (outcome.why === 'early' || outcome.why === 'expired' || outcome.why === 'older') counts.outdated++
      else drop(outcome.why, way, taken.missed)
      if (taken.aheadMs !== undefined)
        events.emit('intake:early', { via: way.via, from: way.from, aheadMs: taken.aheadMs })
      if (taken.missed !== undefined) miss(taken.missed, way)
      return taken
    }
    missed.done(outcome.id)
    if (outcome.outcome === 'known') counts.known++
    if (entry !== undefined && outcome.outcome === 'better') {
      events.emit('intake:better', { id: entry.id, depth: entry.best.depth, from: way.from })
      void emitting.emit(entry)
      letGo(entry)
    }
    if (entry !== undefined && fresh !== undefined) welcome(entry, fresh, way)
    return taken
  }

  function welcome(entry: Entry, signed: Signed, way: Way): void {
    upkeep.grown()
    if (way.from !== undefined && way.via !== 'api') score.delivered(way.from)
    if (signed.kind === 'stop') void emitting.emit(entry, signed)
    else deciding.start(entry, signed)
  }

  function miss(cid: CID, way: Way): void {
    if (way.from === undefined || way.via === 'api') return
    if (!missed.add(cid.toString(), cid, way.from)) drop('missed-full', way)
  }

  /** Copies that can not become this node's emission any more keep nobody waiting. */
  function letGo(entry: Entry): void {
    for (const { arrival, answer } of waiting.of(entry.id)) {
      const word = gate(stateOf(entry), arrival, nowSeconds(clock))
      if (word !== 'wait' && !(word === 'hold' && holdMs > 0)) answer('ignore')
    }
  }

  /** The answer to gossip; an accepted copy is this node's emission. */
  function answer(entry: Entry, arrival: GateArrival): ReturnType<typeof gate> {
    const word = gate(stateOf(entry), arrival, nowSeconds(clock))
    try {
      if (word === 'accept' && arrival.genuine) emitting.forward(entry, arrival.depth)
    } catch (error) {
      // what could not be journalled is not forwarded: after a restart it would be forwarded again
      log.warn('a copy is not forwarded', { id: entry.id, reason: messageOf(error) })
      return 'ignore'
    }
    return word
  }

  /** Only half of the room is for copies that may come to matter; the rest is for those that a verdict decides. */
  const roomToHold = () => holdMs > 0 && waiting.count < init.quotas.queueMax / 2

  /** The answer that a copy gets after a while; undefined where too many wait. */
  function held(entry: Entry, arrival: GateArrival, ms: number): Promise<'accept' | 'ignore'> | undefined {
    const { promise, resolve } = Promise.withResolvers<'accept' | 'ignore'>()
    return waiting.add(entry.id, { arrival, answer: resolve }, ms) ? promise : undefined
  }

  function tooMany(way: Way, entry: Entry): 'ignore' {
    drop('waiting-full', way, entry.cid)
    return 'ignore'
  }

  return {
    async gossip(bytes, from) {
      const way = { ...GOSSIP, from }
      const { arrival, entry } = take(bytes, way)
      if (entry === undefined) return arrival.genuine ? 'ignore' : 'reject'
      const word = answer(entry, arrival)
      switch (word) {
        case 'wait':
          return (await held(entry, arrival, init.verdictTimeoutMs)) ?? tooMany(way, entry)
        case 'hold':
          return (roomToHold() ? await held(entry, arrival, holdMs) : undefined) ?? 'ignore'
        default:
          return word
      }
    },

    submit: async (bytes, via, from) => take(bytes, { ...WAYS[via], from }).outcome,

    async publish({ signed, ticket }: Announcement): Promise<PublishOutcome> {
      const id = signed.id.toString()
      checkTicket(signed.body.reach, ticket)
      verifyAnnouncement(signed, init.network, keys)
      const time = outOfTime(signed.body, nowSeconds(clock))
      if (time !== undefined) throw new InputError(`"${signed.body.name}" can not be published: ${reasonOf(time)}`)
      const line = succession.line(signed)
      const { newer } = line
      if (newer !== undefined) {
        throw new InputError(
          `seq: is ${signed.body.seq}, but a ${newer.kind} of "${signed.body.name}" with seq ${newer.seq} is known: it must be higher`,
        )
      }
      const known = book.get(id)
      const entry = known ?? succession.enter(signed, ticket, OWN, line)
      if (entry === undefined) throw new InputError(`${id} is being taken in already`)
      if (known !== undefined) {
        book.raise(known, ticket)
        book.setOwn(known)
      } else upkeep.grown()
      return { id, mesh: await emitting.emit(entry, known === undefined ? signed : undefined) }
    },

    redecided(id, redirect) {
      const entry = book.get(id)
      if (entry === undefined || entry.kind === 'stop' || deciding.has(id)) return
      const follows = entry.follows === undefined ? undefined : book.get(entry.follows)
      book.setRedirect(entry, redirect || entry.own || follows?.redirect === true)
      void emitting.emit(entry)
    },

    syncSource: createSource({
      clock,
      announcements: journal.announcements,
      book,
      emitting,
      unwanted,
      stateOf,
      redirectionDepth: init.redirectionDepth,
      submit: async (bytes, via, from) => take(bytes, { ...WAYS[via], from }).outcome,
    }),

    boot: () => upkeep.start(),

    async idle() {
      await deciding.idle()
      await emitting.idle()
    },

    stats: () => ({
      ...structuredClone(counts),
      deciding: deciding.pending,
      decisionsFailed: deciding.failed,
      copiesWaiting: waiting.count,
      missed: missed.size,
      missedLost: missed.lost,
    }),

    async [Symbol.asyncDispose]() {
      upkeep[Symbol.dispose]()
      deciding[Symbol.dispose]()
      waiting[Symbol.dispose]()
      await this.idle()
      log.debug('intake has ended', counts)
    },
  }
}

function reasonOf(why: 'early' | 'expired'): string {
  const outcome = refused(why)
  return outcome.outcome === 'refused' ? outcome.reason : ''
}
