import { encodeAnnouncement, type Signed } from '../../protocols/announcement.ts'
import { lowerTicket } from '../../protocols/redirection.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Book, Entry } from './book.ts'
import type { Waiting } from './deciding.ts'
import type { IntakeEvents } from './events.ts'
import { emission, type GateState, gate, unsent } from './gate.ts'
import type { IntakeMesh, PublishOutcome } from './index.ts'

/** What leaves this node, each depth of each announcement once. */
export interface Emitting {
  /** Publishes what is due, if anything is. Never rejects. */
  emit(entry: Entry, signed?: Pick<Signed, 'bytes' | 'sig'>): Promise<PublishOutcome['mesh']>
  /** A neighbour's copy, equal to the emission that is due, is forwarded in its place. */
  forward(entry: Entry, depth: number): void
  /** A verdict is there: journals it with the emission that is due, which a waiting copy makes, or this node. */
  settle(entry: Entry, signed: Signed, redirect: boolean, waiting: Iterable<Waiting>): void
  /** The bytes that this node emits, and would emit again to a neighbour who missed them. */
  bytes(entry: Entry, state: GateState): Uint8Array | undefined
  idle(): Promise<void>
}

export interface EmittingComponents {
  clock: Clock
  log: Log
  events: Emitter<IntakeEvents>
  book: Book
  mesh: IntakeMesh
  stateOf(entry: Entry): GateState
}

export function createEmitting({ clock, log, events, book, mesh, stateOf }: EmittingComponents): Emitting {
  const underway = new Set<Promise<unknown>>()

  const bytesAt = (entry: Entry, depth: number, signed = book.signed(entry)) =>
    signed && encodeAnnouncement({ signed, ticket: lowerTicket(entry.best, depth) })

  async function emit(entry: Entry, signed?: Pick<Signed, 'bytes' | 'sig'>): Promise<PublishOutcome['mesh']> {
    const depth = unsent(stateOf(entry), nowSeconds(clock))
    if (depth === undefined) return 'unsent'
    const before = entry.emitted
    // journalled first: a crash between the two costs an emission that sync makes good, never a second one
    book.setEmitted(entry, depth)
    return await send(entry, depth, before, signed)
  }

  /** Sends what is journalled as emitted. */
  async function send(
    entry: Entry,
    depth: number,
    before: number | undefined,
    signed?: Pick<Signed, 'bytes' | 'sig'>,
  ): Promise<PublishOutcome['mesh']> {
    const bytes = bytesAt(entry, depth, signed)
    if (bytes === undefined) return 'unsent'
    using _ = book.hold(entry)
    const result = await publish(bytes, depth)
    if (result === 'no-peers') {
      // nobody heard it: a neighbour's copy may still be forwarded, and upkeep tries again
      if (entry.emitted === depth) book.setEmitted(entry, before)
      return result
    }
    events.emit('intake:emitted', { id: entry.id, depth, how: result === 'seen' ? 'offered' : 'published' })
    if (result === 'seen') await mesh.offer([[entry.cid, depth]])
    return result
  }

  async function tracked(entry: Entry, work: Promise<PublishOutcome['mesh']>): Promise<PublishOutcome['mesh']> {
    underway.add(work)
    try {
      return await work
    } catch (error) {
      log.warn('an announcement could not be passed on', { id: entry.id, reason: messageOf(error) })
      return 'no-peers'
    } finally {
      underway.delete(work)
    }
  }

  async function publish(bytes: Uint8Array, depth: number): Promise<'published' | 'seen' | 'no-peers'> {
    try {
      return await mesh.publish(bytes, { to: depth === 0 ? 'all' : 'mesh' })
    } catch (error) {
      log.warn('an announcement could not be published', { reason: messageOf(error) })
      return 'no-peers'
    }
  }

  return {
    emit: (entry, signed) => tracked(entry, emit(entry, signed)),
    forward(entry, depth) {
      book.setEmitted(entry, depth)
      events.emit('intake:emitted', { id: entry.id, depth, how: 'forwarded' })
    },
    settle(entry, signed, redirect, waiting) {
      const state = { ...stateOf(entry), redirect }
      const depth = unsent(state, nowSeconds(clock))
      const before = entry.emitted
      book.settle(entry, redirect, depth ?? before)
      if (depth === undefined) return
      for (const { arrival, answer } of waiting) {
        if (gate(state, arrival, nowSeconds(clock)) !== 'accept') continue
        events.emit('intake:emitted', { id: entry.id, depth, how: 'forwarded' })
        return answer('accept')
      }
      void tracked(entry, send(entry, depth, before, signed))
    },
    bytes(entry, state) {
      const depth = emission(state)
      return depth === undefined ? undefined : bytesAt(entry, depth)
    },
    idle: async () => {
      while (underway.size > 0) await Promise.allSettled([...underway])
    },
  }
}
