import type { CID } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError } from '../../../protocols/errors.ts'
import { MAX_REQUEST_BYTES, MAX_SYNC_ITEMS } from '../../../protocols/limits.ts'
import { statementId } from '../../../protocols/statement.ts'
import {
  checkPage,
  decodeSyncAnswer,
  encodeSyncRequest,
  type StatementItem,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncItem,
  type SyncRequest,
} from '../../../protocols/streams/sync.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { StatementSource } from '../../base/statement-sync.ts'
import type { MessageStream, StreamOpener } from '../../base/stream.ts'
import { SYNC_PEERS, SYNC_PULL_BATCH } from '../constants.ts'
import type { PeerScores, SyncSource } from '../types.ts'

export interface SyncClientComponents {
  streams: StreamOpener
  source: SyncSource
  statements: StatementSource
  peerScores: PeerScores
  /** Pages and bytes of one round. */
  exchange: { readonly pages: number; readonly bytes: number }
}

type Options = { signal?: AbortSignal | undefined; budget?: Budget | undefined }
/** Bytes that may still come in this round. */
type Budget = { bytes: number }
type Page<Item> = { readonly items: readonly Item[]; readonly more: boolean }

/** What one round asks for: pages of items, of which those that are missing here are pulled. */
type Round<Item extends readonly [CID, ...unknown[]]> = {
  readonly name: string
  list(peer: string, after: CID | undefined, options: Options): Promise<Page<Item>>
  wants(items: readonly Item[]): readonly CID[]
  pull(peer: string, ids: readonly CID[], options: Options): Promise<number>
}

/** The asking side of sync. */
export function createSyncClient({ streams, source, statements, peerScores, exchange }: SyncClientComponents) {
  async function* ask(peer: string, request: SyncRequest, { signal, budget }: Options): AsyncGenerator<SyncAnswer> {
    const options = { signal, maxMessageBytes: MAX_REQUEST_BYTES }
    await using stream: MessageStream = await streams.open(peer, SYNC_PROTOCOL, options)
    await stream.write(encodeSyncRequest(request), { signal })
    await stream.end()
    for (;;) {
      const encoded = await stream.read({ signal })
      if (encoded === undefined) return
      if (budget !== undefined) {
        budget.bytes -= encoded.byteLength
        if (budget.bytes < 0) throw new ExchangeOverError('the peer has more than one exchange takes')
      }
      const answer = decodeSyncAnswer(encoded)
      if (answer.is === 'error') throw new UnavailableError(`the peer refused: ${sanitizeText(answer.message)}`)
      yield answer
    }
  }
  /** Bytes that break the wire's rules, or that were not asked for: the peer pays. */
  const guard = async <T>(peer: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ProtocolError) peerScores.penalize(peer)
      throw error
    }
  }

  async function list<Is extends 'items' | 'statements'>(
    peer: string,
    is: Is,
    after: CID | undefined,
    options: Options,
  ): Promise<Extract<SyncAnswer, { is: Is }>> {
    const want = is === 'items' ? 'list' : 'statements'
    const request = { v: 1, want, ...(after === undefined ? {} : { after }) } as const
    for await (const answer of ask(peer, request, options)) {
      if (isOf(answer, is)) return answer
    }
    throw new UnavailableError('the peer did not list anything')
  }

  /** Asks for `ids` in batches, each answer taken in before the next is read. Returns how many came. */
  async function pull(
    peer: string,
    want: 'pull' | 'pull-statements',
    ids: readonly CID[],
    options: Options,
    take: (answer: SyncAnswer, asked: readonly CID[]) => Promise<boolean>,
  ): Promise<number> {
    let came = 0
    for (let start = 0; start < ids.length; start += SYNC_PULL_BATCH) {
      const batch = ids.slice(start, start + SYNC_PULL_BATCH)
      let left = batch.length
      for await (const answer of ask(peer, { v: 1, want, ids: batch }, options)) {
        if (answer.is !== 'announcement' && answer.is !== 'statement') continue
        if (left-- === 0) throw new ProtocolError('pull', 'brought more than was asked for')
        if (await take(answer, batch)) came++
      }
    }
    return came
  }
  const pullServices = (peer: string, ids: readonly CID[], options: Options) =>
    pull(peer, 'pull', ids, options, async (answer) => {
      if (answer.is !== 'announcement') return false
      await source.arrive(answer.announcement, peer, 'sync')
      return true
    })
  const pullStatements = (peer: string, ids: readonly CID[], options: Options) =>
    pull(peer, 'pull-statements', ids, options, async (answer, asked) => {
      if (answer.is !== 'statement') return false
      const id = statementId(answer.statement)
      if (!asked.some((one) => one.equals(id))) throw new ProtocolError('pull', 'brought a statement of another id')
      try {
        await statements.arrive(answer.statement, peer)
      } catch (error) {
        // a hub's members are pinned by each operator: the peer may well know them
        if (!(error instanceof MembersError)) throw error
        return false
      }
      return true
    })

  /** Where rounds stopped that had more to list than one takes: the next one goes on there. */
  const places = new LruMap<string, CID>(SYNC_PEERS)

  /** Lists page by page, and pulls what is better than what is here. However much a peer has to list, a round ends. */
  async function round<Item extends readonly [CID, ...unknown[]]>(peer: string, { signal }: Options, of: Round<Item>) {
    const options: Options = { signal, budget: { bytes: exchange.bytes } }
    const place = `${of.name} ${peer}`
    let listed = 0
    let pulled = 0
    let after = places.get(place)
    places.delete(place)
    try {
      for (let pages = 1; ; pages++) {
        const page: Page<Item> = await of.list(peer, after, options)
        checkPage(page, after)
        const last = page.items.at(-1)?.[0]
        listed += page.items.length
        pulled += await of.pull(peer, of.wants(page.items), options)
        if (!page.more || last === undefined) break
        after = last
        if (pages < exchange.pages) continue
        places.set(place, after)
        break
      }
    } catch (error) {
      if (!(error instanceof ExchangeOverError)) throw error
      if (after !== undefined) places.set(place, after)
    }
    return { listed, pulled }
  }
  const ofServices: Round<SyncItem> = {
    name: 'services',
    list: (peer, after, options) => list(peer, 'items', after, options),
    wants: (items) => source.wants(items),
    pull: pullServices,
  }
  const ofStatements: Round<StatementItem> = {
    name: 'statements',
    list: (peer, after, options) => list(peer, 'statements', after, options),
    wants: (items) => statements.wants(items),
    pull: pullStatements,
  }

  return {
    /** Had the peer more to list than one round takes? */
    isUnfinished: (peer: string) => [ofServices, ofStatements].some(({ name }) => places.has(`${name} ${peer}`)),
    pull: (peer: string, ids: readonly CID[], options: Options = {}) =>
      guard(peer, () => pullServices(peer, ids, options)),
    services: (peer: string, options: Options = {}) => guard(peer, () => round(peer, options, ofServices)),
    statements: (peer: string, options: Options = {}) => guard(peer, () => round(peer, options, ofStatements)),
    async offer(peer: string, items: readonly SyncItem[], options: Options = {}) {
      for (let start = 0; start < items.length; start += MAX_SYNC_ITEMS) {
        const page = items.slice(start, start + MAX_SYNC_ITEMS)
        for await (const _ of ask(peer, { v: 1, want: 'offer', items: page }, options));
      }
    },
    async tell(peer: string, announcement: Uint8Array, options: Options = {}) {
      for await (const _ of ask(peer, { v: 1, want: 'tell', announcement }, options));
    },
  }
}

function isOf<Is extends SyncAnswer['is']>(answer: SyncAnswer, is: Is): answer is Extract<SyncAnswer, { is: Is }> {
  return answer.is === is
}

/** A round used its budget: what it received is kept. */
class ExchangeOverError extends UnavailableError {
  override readonly name = 'ExchangeOverError'
}
