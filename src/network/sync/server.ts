import type { CID } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { MAX_SYNC_ITEMS, MAX_SYNC_STATEMENTS } from '../../../protocols/limits.ts'
import { decodeSyncRequest, encodeSyncAnswer, SYNC_PROTOCOL, type SyncAnswer } from '../../../protocols/streams/sync.ts'
import { messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import type { StatementSource } from '../../base/statement-sync.ts'
import type { MessageStream } from '../../base/stream.ts'
import type { NetworkEvents } from '../events.ts'
import type { PeerScores, SyncSource } from '../types.ts'
import type { SyncRateLimits } from './rate-limits.ts'

export interface SyncServerComponents {
  events: Emitter<NetworkEvents>
  source: SyncSource
  statements: StatementSource
  peerScores: PeerScores
  rateLimits: SyncRateLimits
  neighbours: { includes(peer: string): boolean }
  /** Pulls what an offer has that is missing here; must not be waited for while the offer's stream is open. */
  pullLater(peer: string, ids: readonly CID[]): void
}

/** One request a stream. */
export function createSyncServer({
  events,
  source,
  statements,
  peerScores,
  rateLimits,
  neighbours,
  pullLater,
}: SyncServerComponents) {
  const refuse = (peer: string, reason: string): SyncAnswer => {
    events.emit('network:refused', { peer, protocol: SYNC_PROTOCOL, reason })
    return { is: 'error', message: reason }
  }

  async function* answer(peer: string, encoded: Uint8Array): AsyncGenerator<SyncAnswer> {
    const request = decodeSyncRequest(encoded)
    const quota = rateLimits(peer)
    if (!quota.requests.take()) return yield refuse(peer, 'too many requests')
    // a peer that knows an id may pull it, and any peer may send a stop; lists and offers are for neighbours
    const forNeighbours = request.want === 'list' || request.want === 'statements' || request.want === 'offer'
    if (forNeighbours && !neighbours.includes(peer)) {
      return yield refuse(peer, 'this node syncs with the nodes that it names, and with those that name it')
    }
    switch (request.want) {
      case 'list': {
        if (!quota.pages.take()) return yield refuse(peer, 'too many pages')
        // one more than a page shows whether there is another
        const items = source.list(request.after, MAX_SYNC_ITEMS + 1)
        return yield { is: 'items', items: items.slice(0, MAX_SYNC_ITEMS), more: items.length > MAX_SYNC_ITEMS }
      }
      case 'pull':
        for (const id of request.ids) {
          const announcement = source.get(id)
          if (announcement === undefined) continue
          if (!quota.pulls.take()) return yield refuse(peer, 'too many pulls')
          yield { is: 'announcement', announcement }
        }
        return yield { is: 'end' }
      case 'offer': {
        const wanted = source.wants(request.items)
        if (!quota.offers.take(Math.max(1, wanted.length))) return yield refuse(peer, 'too many offers')
        if (wanted.length > 0) pullLater(peer, wanted)
        return yield { is: 'end' }
      }
      case 'tell':
        await source.arrive(request.announcement, peer, 'tell')
        return yield { is: 'end' }
      case 'statements': {
        if (!quota.pages.take()) return yield refuse(peer, 'too many pages')
        const items = statements.list(request.after, MAX_SYNC_STATEMENTS + 1)
        const more = items.length > MAX_SYNC_STATEMENTS
        return yield { is: 'statements', items: items.slice(0, MAX_SYNC_STATEMENTS), more }
      }
      case 'pull-statements':
        for (const id of request.ids) {
          const statement = statements.get(id)
          if (statement === undefined) continue
          if (!quota.statements.take()) return yield refuse(peer, 'too many pulls of statements')
          yield { is: 'statement', statement }
        }
        return yield { is: 'end' }
      default:
        request satisfies never
    }
  }

  return async (stream: MessageStream, { signal }: { signal: AbortSignal }) => {
    const encoded = await stream.read({ signal })
    if (encoded === undefined) return
    try {
      for await (const part of answer(stream.peer, encoded)) await stream.write(encodeSyncAnswer(part), { signal })
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      peerScores.penalize(stream.peer)
      await stream.write(encodeSyncAnswer({ is: 'error', message: sanitizeText(messageOf(error), 200) }), { signal })
    }
  }
}
