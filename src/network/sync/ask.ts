import type { CID } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { MAX_REQUEST_BYTES, MAX_SYNC_ITEMS } from '../../../protocols/limits.ts'
import {
  decodeSyncAnswer,
  encodeSyncRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncItem,
  type SyncRequest,
} from '../../../protocols/sync.ts'
import { UnavailableError } from '../../base/errors.ts'
import type { MessageStream, StreamOpener } from '../../base/stream.ts'
import { printable } from '../../base/text.ts'
import { SYNC_PULL_BATCH } from '../constants.ts'
import type { Conduct, SyncSource } from '../index.ts'

export interface AskComponents {
  streams: StreamOpener
  source: SyncSource
  conduct: Conduct
}

type Options = { signal?: AbortSignal | undefined }

/** The asking side of sync. */
export function syncClient({ streams, source, conduct }: AskComponents) {
  async function* ask(peer: string, request: SyncRequest, { signal }: Options): AsyncGenerator<SyncAnswer> {
    const options = { signal, maxMessageBytes: MAX_REQUEST_BYTES }
    await using stream: MessageStream = await streams.open(peer, SYNC_PROTOCOL, options)
    await stream.write(encodeSyncRequest(request), { signal })
    await stream.end()
    for (;;) {
      const encoded = await stream.read({ signal })
      if (encoded === undefined) return
      const answer = decodeSyncAnswer(encoded)
      if (answer.is === 'error') throw new UnavailableError(`the peer refused: ${printable(answer.message)}`)
      yield answer
    }
  }
  /** Bytes that break the wire's rules, or that were not asked for: the peer pays. */
  const guard = async <T>(peer: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ProtocolError) conduct.lie(peer)
      throw error
    }
  }

  async function list(peer: string, after: CID | undefined, options: Options) {
    const request = { v: 1, want: 'list', ...(after === undefined ? {} : { after }) } as const
    for await (const answer of ask(peer, request, options)) {
      if (answer.is === 'items') return answer
    }
    throw new UnavailableError('the peer did not list anything')
  }

  /** Pulls `ids` in batches, each announcement taken in before the next is read. Returns how many came. */
  async function pull(peer: string, ids: readonly CID[], options: Options): Promise<number> {
    let came = 0
    for (let start = 0; start < ids.length; start += SYNC_PULL_BATCH) {
      const batch = ids.slice(start, start + SYNC_PULL_BATCH)
      let left = batch.length
      for await (const answer of ask(peer, { v: 1, want: 'pull', ids: batch }, options)) {
        if (answer.is !== 'announcement') continue
        if (left-- === 0) throw new ProtocolError('pull', 'brought more than was asked for')
        await source.arrive(answer.announcement, peer, 'sync')
        came++
      }
    }
    return came
  }

  return {
    pull: (peer: string, ids: readonly CID[], options: Options = {}) => guard(peer, () => pull(peer, ids, options)),
    /** Lists page by page, and pulls what is better than what is here. */
    round: (peer: string, options: Options = {}) =>
      guard(peer, async () => {
        let listed = 0
        let pulled = 0
        let after: CID | undefined
        for (let more = true; more; ) {
          const page: { items: SyncItem[]; more: boolean } = await list(peer, after, options)
          listed += page.items.length
          pulled += await pull(peer, source.wants(page.items), options)
          const last: CID | undefined = page.items.at(-1)?.[0]
          if (page.more && (last === undefined || (after !== undefined && last.equals(after)))) {
            throw new ProtocolError('list', 'has more and does not go on')
          }
          after = last
          more = page.more
        }
        return { listed, pulled }
      }),
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
