import { encodeAnnouncement, type Signed } from '../../protocols/announcement.ts'
import { lowerTicket } from '../../protocols/redirection.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { AnnouncementCache, Entry } from './announcement-cache.ts'
import type { IntakeEvents } from './events.ts'
import { emissionDepth, type ForwardState, pendingDepth } from './forwarding-rules.ts'
import type { PendingCopies } from './pending-copies.ts'
import type { IntakeMesh, MeshOutcome } from './types.ts'

/** What leaves this node, each depth of each announcement once. */
export interface Forwarder {
  /** Sends what is due, if anything is: a copy that waits is forwarded, or this node publishes. Never rejects. */
  emit(entry: Entry, signed?: Pick<Signed, 'bytes' | 'sig'>): Promise<MeshOutcome>
  /** A neighbour's copy, equal to the emission that is due, is forwarded in its place. */
  forward(entry: Entry, depth: number): void
  /** A verdict is there: journals it with the emission that is due, and sends that. */
  onVerdict(entry: Entry, signed: Signed, redirect: boolean): void
  /** The bytes that this node emits, and would emit again to a neighbour that missed them. */
  bytes(entry: Entry, state: ForwardState): Uint8Array | undefined
  idle(): Promise<void>
}

export interface ForwarderComponents {
  clock: Clock
  log: Log
  events: Emitter<IntakeEvents>
  cache: AnnouncementCache
  mesh: IntakeMesh
  pending: Pick<PendingCopies, 'of'>
  stateOf(entry: Entry): ForwardState
}

export function createForwarder(components: ForwarderComponents): Forwarder {
  const { clock, log, events, cache, mesh, pending, stateOf } = components
  const underway = new Set<Promise<unknown>>()

  const bytesAt = (entry: Entry, depth: number, signed = cache.signed(entry)) =>
    signed && encodeAnnouncement({ signed, ticket: lowerTicket(entry.bestTicket, depth) })

  async function emit(entry: Entry, signed?: Pick<Signed, 'bytes' | 'sig'>): Promise<MeshOutcome> {
    const depth = pendingDepth(stateOf(entry), nowSeconds(clock))
    if (depth === undefined) return 'unsent'
    const before = entry.emitted
    // journalled first: a crash between the two costs an emission that sync makes good, never a second one
    cache.setEmitted(entry, depth)
    return forwards(entry, depth) ? 'published' : await send(entry, depth, before, signed)
  }

  /** Is a neighbour's equal copy waiting? Then gossip forwards that, as it would refuse to publish what it has seen. */
  function forwards(entry: Entry, depth: number): boolean {
    for (const { incoming, answer } of pending.of(entry.id)) {
      if (!incoming.valid || !incoming.sameSignature || incoming.depth !== depth) continue
      events.emit('intake:emitted', { id: entry.id, depth, how: 'forwarded' })
      answer('accept')
      return true
    }
    return false
  }

  /** Sends what is journalled as emitted. */
  async function send(
    entry: Entry,
    depth: number,
    before: number | undefined,
    signed?: Pick<Signed, 'bytes' | 'sig'>,
  ): Promise<MeshOutcome> {
    const bytes = bytesAt(entry, depth, signed)
    if (bytes === undefined) return 'unsent'
    using _ = cache.retain(entry)
    const result = await publish(bytes, depth)
    if (result === 'no-peers') {
      // no neighbour received it: a neighbour's copy may still be forwarded, and maintenance tries again
      if (entry.emitted === depth) cache.setEmitted(entry, before)
      return result
    }
    events.emit('intake:emitted', { id: entry.id, depth, how: result === 'seen' ? 'offered' : 'published' })
    if (result === 'seen') await mesh.offer([[entry.cid, depth]])
    return result
  }

  async function tracked(entry: Entry, work: Promise<MeshOutcome>): Promise<MeshOutcome> {
    underway.add(work)
    try {
      return await work
    } catch (error) {
      log.warn('an announcement could not be forwarded', { id: entry.id, reason: messageOf(error) })
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
      cache.setEmitted(entry, depth)
      events.emit('intake:emitted', { id: entry.id, depth, how: 'forwarded' })
    },
    onVerdict(entry, signed, redirect) {
      const state = { ...stateOf(entry), redirect }
      const depth = pendingDepth(state, nowSeconds(clock))
      const before = entry.emitted
      cache.recordVerdict(entry, redirect, depth ?? before)
      if (depth === undefined) return
      if (forwards(entry, depth)) return
      void tracked(entry, send(entry, depth, before, signed))
    },
    bytes(entry, state) {
      const depth = emissionDepth(state)
      return depth === undefined ? undefined : bytesAt(entry, depth)
    },
    idle: async () => {
      while (underway.size > 0) await Promise.allSettled([...underway])
    },
  }
}
