import { anySignal } from 'any-signal'
import { raceSignal } from 'race-signal'
import { addressOfPeerId, decodeAddress, sameAddress } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import { type Receipt, verifyReceipt } from '../../protocols/receipt.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import {
  decodeStatusAnswer,
  encodeStatusRequest,
  STATUS_PROTOCOL,
  type StatusAnswer,
  type StatusRequest,
} from '../../protocols/streams/status.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { AccessError, TimeoutError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { StreamOpener } from '../base/stream.ts'
import { askPeers } from './ask-peers.ts'

/** A peer that does not answer a status request in this time is skipped. */
const ASK_TIMEOUT_MS = 3_000
const LATE = new TimeoutError('the peer did not answer in time')

export interface StatusClientComponents {
  clock: Clock
  keys: KeyCache
  streams: StreamOpener
  /** Peers to ask, as they are found. One that is named again is asked again where it did not answer. */
  candidates(service: CID, options: Asking): AsyncIterable<string>
}

type Asking = { signal?: AbortSignal | undefined; peers?: readonly string[] | undefined }

/** Asks peers what they do with a service: signed answers, as they come. Peers that do not answer are skipped. */
export async function* requestStatus(
  components: StatusClientComponents,
  network: string,
  service: CID,
  options: Asking = {},
): AsyncGenerator<Receipt> {
  yield* askPeers(components.candidates(service, options), async (peer) => {
    using limit = deadline(components.clock, ASK_TIMEOUT_MS, LATE, options.signal)
    return await requestStatusFrom(components, network, service, peer, limit.signal)
  })
}

/** The answers, as they come, for so long at most; then the rest is aborted. A time-out is not a failure. */
export async function* within<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  ask: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const left = new AbortController()
  using limit = deadline(clock, ms, new TimeoutError('the time is up'), outer)
  const signal = anySignal([limit.signal, left.signal])
  const answers = ask(signal)[Symbol.asyncIterator]()
  try {
    for (;;) {
      // what is called off may take its time to end
      const answer = await raceSignal(answers.next(), signal)
      if (answer.done === true) break
      yield answer.value
    }
    outer?.throwIfAborted()
  } catch (error) {
    if (!limit.signal.aborted || outer?.aborted === true) throw error
  } finally {
    left.abort(new TimeoutError('no further answer is wanted'))
    signal.clear()
    answers.return?.()?.then(undefined, () => {})
  }
}

/** One peer's signed answer, for as long as the signal lets it; throws if there is none, or another peer signed it. */
export async function requestStatusFrom(
  components: Pick<StatusClientComponents, 'keys' | 'streams'>,
  network: string,
  service: CID,
  peer: string,
  signal: AbortSignal,
): Promise<Receipt> {
  for await (const answer of request(components.streams, peer, { v: 1, want: 'receipt', service }, signal)) {
    if (answer.is !== 'receipt') break
    const receipt = verifyReceipt(answer.receipt, network, components.keys)
    if (!receipt.body.service.equals(service)) break
    if (!sameAddress(decodeAddress(receipt.body.node), addressOfPeerId(peerIdIn(peer)))) break
    return receipt
  }
  throw new AccessError('the peer did not say what it does with the service')
}

/** The answers to one status request. An `error` answer is thrown, as one sentence. */
export async function* request(
  streams: StreamOpener,
  peer: string,
  asked: StatusRequest,
  signal?: AbortSignal,
): AsyncGenerator<StatusAnswer> {
  await using stream = await streams.open(peer, STATUS_PROTOCOL, { signal })
  await stream.write(encodeStatusRequest(asked), { signal })
  await stream.end()
  for (let bytes = await stream.read({ signal }); bytes !== undefined; bytes = await stream.read({ signal })) {
    const answer = decodeStatusAnswer(bytes)
    if (answer.is === 'error') throw new AccessError(sanitizeText(answer.message, 512))
    if (answer.is === 'end') return
    yield answer
  }
}

function peerIdIn(peer: string): string {
  return peer.slice(peer.lastIndexOf('/') + 1)
}
