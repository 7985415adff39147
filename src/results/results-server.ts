import { checkAccess } from '../../protocols/access.ts'
import { addressOfPeerId, decodeAddress, parseAddress } from '../../protocols/address.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import { chunkAnswer, chunkLength, encodeArchiveAnswer } from '../../protocols/streams/archive.ts'
import { decodeResultsRequest, type ResultsRequest } from '../../protocols/streams/results.ts'
import { type Clock, deadline, nowSeconds } from '../base/clock.ts'
import { NotFoundError, ThundercloudError, TimeoutError, UnavailableError } from '../base/errors.ts'
import { truncateUtf8 } from '../base/format.ts'
import type { MessageStream } from '../base/stream.ts'
import type { Reason } from '../base/verdict.ts'
import { type ChunkReader, createStreamSlots, type StreamSlot } from '../code/index.ts'
import { nothingText, outputsReason } from './result-texts.ts'
import type { ResultRecord, Results } from './types.ts'

/** Streams of one peer, and of all. */
export const RESULTS_STREAMS = { maxInbound: 2, maxInboundStreams: 128 }
/** Streams of those who may have what they ask for: each holds one chunk in memory. */
const READERS = {
  max: 16,
  maxPerPeer: RESULTS_STREAMS.maxInbound,
  unusedMs: 10_000,
  minBytesPerSecond: 64 * 1024,
}
/** A peer that asks for nothing in this time is let go. */
const FIRST_REQUEST_MS = 5000
/** A peer that does not take one chunk in this time is let go. */
const SEND_MS = 60_000
const MAX_ERROR_BYTES = 256

export interface ResultsServerComponents {
  clock: Clock
  keys: KeyCache
  /** Address bytes; undefined where the service is not known here (any more). */
  authorOf(service: string): Uint8Array | undefined
  /** A signed receipt that says that the task is done, with this reason before what is public. */
  receipt(service: string, reason: Reason): Uint8Array
  results: Pick<Results, 'get' | 'open'>
}

/** What failed in the node itself is not for others. */
function refusalOf(error: unknown): string {
  const isMeant = error instanceof ThundercloudError || error instanceof ProtocolError
  return truncateUtf8(isMeant ? error.message : 'the node failed to read it', MAX_ERROR_BYTES)
}

type Open = () => Promise<ChunkReader | undefined>
type AbortOptions = { signal?: AbortSignal | undefined }

/** Gives what a task left to its author, and to those whom the author lets. Each request is checked by itself. */
export function createResultsServer(components: ResultsServerComponents, init: { network: string }) {
  const { clock, keys, authorOf, receipt, results } = components

  /** Throws where the peer may not have it. It is not said before whether there is something. */
  function authorize({ service, token }: ResultsRequest, peer: string): ResultRecord | undefined {
    const id = service.toString()
    const record = results.get(id)
    const bytes = authorOf(id)
    if (bytes === undefined && record === undefined) throw new NotFoundError('this node knows no such service')
    const author = bytes === undefined ? parseAddress(record?.author ?? '') : decodeAddress(bytes)
    const asked = { service, author, peer: addressOfPeerId(peer), right: 'results' as const, token }
    checkAccess(asked, { network: init.network, keys, nowSeconds: nowSeconds(clock) })
    return record
  }

  async function answer(record: ResultRecord | undefined, request: ResultsRequest, open: Open) {
    if (record === undefined) throw new NotFoundError('this node has no results of the service')
    if (request.want === 'receipt')
      return encodeArchiveAnswer({ is: 'bytes', bytes: receipt(record.service, outputsReason(record)) })
    const reader = await open()
    if (reader === undefined) throw new NotFoundError(nothingText(record.detail))
    const { manifest, encoded } = reader
    if (request.want === 'manifest') return encodeArchiveAnswer({ is: 'bytes', bytes: encoded })
    if (request.index >= manifest.chunks.length) throw new NotFoundError(`there is no chunk ${request.index}`)
    const { frame, bytes } = chunkAnswer(chunkLength(manifest, request.index))
    await reader.read(request.index, bytes)
    return frame
  }

  /** Streams that were given something, and have not ended. */
  const readers = createStreamSlots(clock, READERS)

  return async function serveResults(stream: MessageStream, { signal }: AbortOptions = {}): Promise<void> {
    /** what is read stays open: a client asks for one chunk after the other */
    let opened: { service: string; reader: ChunkReader | undefined } | undefined
    await using _opened = { [Symbol.asyncDispose]: async () => opened?.reader?.[Symbol.asyncDispose]() }
    const readerOf = async (service: string) => {
      if (opened?.service !== service) {
        await opened?.reader?.[Symbol.asyncDispose]()
        opened = { service, reader: await results.open(service) }
      }
      return opened.reader
    }
    let slot: StreamSlot | undefined
    using _slot = { [Symbol.dispose]: () => slot?.[Symbol.dispose]() }
    const admit = (request: ResultsRequest) => {
      const record = authorize(request, stream.peer)
      slot ??= readers.take(stream.peer, (reason) => stream.abort(reason))
      if (slot === undefined) throw new UnavailableError('too many peers read results of this node: ask again later')
      return record
    }
    const first = async () => {
      using limit = deadline(clock, FIRST_REQUEST_MS, new TimeoutError('the peer asks for nothing'), signal)
      return await stream.read({ signal: limit.signal })
    }
    for (let encoded = await first(); encoded !== undefined; encoded = await stream.read({ signal })) {
      const request = decodeResultsRequest(encoded)
      let isRefused = true
      const give = async () => {
        const record = admit(request)
        isRefused = false
        return await answer(record, request, () => readerOf(request.service.toString()))
      }
      const answered = await give().catch((error: unknown) =>
        encodeArchiveAnswer({ is: 'error', message: refusalOf(error) }),
      )
      using limit = deadline(clock, SEND_MS, new TimeoutError('the peer takes too long to read'), signal)
      await stream.write(answered, { signal: limit.signal })
      // it holds a slot that others wait for
      if (isRefused) break
      if (request.want === 'chunk') slot?.carried(answered.byteLength)
    }
    await stream.end()
  }
}
