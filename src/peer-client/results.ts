import { addressOfPeerId, decodeAddress, sameAddress } from '../../protocols/address.ts'
import { type CID, compareBytes, sha256 } from '../../protocols/encoding.ts'
import { verifyReceipt } from '../../protocols/receipt.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import {
  type ArchiveManifest,
  chunkLength,
  codeId,
  decodeArchiveAnswer,
  decodeManifest,
} from '../../protocols/streams/archive.ts'
import {
  encodeResultsRequest,
  RESULTS_PROTOCOL,
  type ResultsRequest,
  resultsIn,
} from '../../protocols/streams/results.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { AccessError, NotFoundError, TimeoutError, UnavailableError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { MessageStream, StreamOpener } from '../base/stream.ts'

/** A peer that does not answer a request in this time is given up. */
const ANSWER_MS = 60_000

export interface ResultsClientComponents {
  readonly clock: Clock
  readonly keys: KeyCache
  readonly streams: StreamOpener
}

/** What a task left at one peer. Dispose of it to close the stream. */
export interface PeerResults extends AsyncDisposable {
  readonly code: CID
  /** bytes of the archive */
  readonly size: number
  /** what is missing or left out */
  readonly detail: string | undefined
  /** The archive, each chunk verified. */
  chunks(): AsyncIterable<Uint8Array>
}

export type ResultsAsked = {
  readonly network: string
  readonly service: CID
  readonly token: Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks a peer for what a task left there. The peer's own signed receipt names it; what comes is compared with that. Throws an
 * AccessError with its refusal, a NotFoundError where it keeps nothing, an UnavailableError where it sends something else.
 */
export async function openPeerResults(
  { clock, keys, streams }: ResultsClientComponents,
  peer: string,
  { network, service, token, signal }: ResultsAsked,
): Promise<PeerResults> {
  const stream = await streams.open(peer, RESULTS_PROTOCOL, { signal })
  const ask = async (what: Wanted) => {
    using limit = deadline(clock, ANSWER_MS, new TimeoutError('the peer did not answer in time'), signal)
    return await request(stream, { v: 1, service, token, ...what }, limit.signal)
  }
  try {
    const receipt = verifyReceipt(await ask({ want: 'receipt' }), network, keys)
    if (!receipt.body.service.equals(service)) throw wrong('a receipt of another service')
    if (!sameAddress(decodeAddress(receipt.body.node), addressOfPeerId(peerIdIn(peer))))
      throw wrong('the receipt of another node')
    const { code, detail } = resultsIn(receipt.body) ?? {}
    if (code === undefined) throw new NotFoundError(sanitizeText(detail ?? 'it says nothing of its outputs', 512))
    const encoded = await ask({ want: 'manifest' })
    if (!codeId(encoded).equals(code)) throw wrong('another manifest than its receipt names')
    const manifest = decodeManifest(encoded)
    return {
      code,
      size: manifest.size,
      detail: detail === undefined ? undefined : sanitizeText(detail, 512),
      async *chunks() {
        for (const index of manifest.chunks.keys()) yield verified(manifest, index, await ask({ want: 'chunk', index }))
        await stream.end()
      },
      [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
    }
  } catch (error) {
    await stream[Symbol.asyncDispose]()
    throw error
  }
}

type Wanted = { want: 'receipt' } | { want: 'manifest' } | { want: 'chunk'; index: number }

async function request(stream: MessageStream, asked: ResultsRequest, signal: AbortSignal): Promise<Uint8Array> {
  await stream.write(encodeResultsRequest(asked), { signal })
  const encoded = await stream.read({ signal })
  if (encoded === undefined) throw new UnavailableError('the peer closed the stream')
  const answer = decodeArchiveAnswer(encoded)
  if (answer.is === 'error') throw new AccessError(sanitizeText(answer.message, 256))
  if (answer.is !== 'bytes') throw wrong('an answer that nobody asked for')
  return answer.bytes
}

function verified(manifest: ArchiveManifest, index: number, bytes: Uint8Array): Uint8Array {
  const isRight = bytes.byteLength === chunkLength(manifest, index)
  if (isRight && compareBytes(sha256(bytes), manifest.chunks[index] as Uint8Array) === 0) return bytes
  throw wrong(`another chunk ${index} than its receipt names`)
}

function wrong(what: string): UnavailableError {
  return new UnavailableError(`the peer sent ${what}`)
}

function peerIdIn(peer: string): string {
  return peer.slice(peer.lastIndexOf('/') + 1)
}
