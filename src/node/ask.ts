import { addressOfPeerId, decodeAddress, sameAddress } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import { openReceipt, type Receipt } from '../../protocols/receipt.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import {
  decodeStatusAnswer,
  encodeStatusRequest,
  STATUS_PROTOCOL,
  type StatusAnswer,
  type StatusRequest,
} from '../../protocols/status.ts'
import { createChannel } from '../base/channel.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { AccessError, TimeoutError } from '../base/errors.ts'
import type { StreamOpener } from '../base/stream.ts'
import { printable } from '../base/text.ts'

/** A neighbour that does not answer a status request in this time is passed over. */
const ASK_TIMEOUT_MS = 5_000
const MAX_ANSWERS = 4096

export interface AskComponents {
  clock: Clock
  keys: KeyCache
  streams: StreamOpener
  /** Peers to ask, as they are found. */
  candidates(service: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<string>
}

/** Asks peers what they do with a service: signed answers, as they come. Who does not answer is passed over. */
export async function* askStatus(
  components: AskComponents,
  network: string,
  service: CID,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Receipt> {
  const answers = createChannel<Receipt>(MAX_ANSWERS)
  const askAll = async () => {
    const asked: Promise<void>[] = []
    for await (const peer of components.candidates(service, options)) {
      const one = askOne(components, network, service, peer, options.signal)
      asked.push(one.then((receipt) => answers.push(receipt)).catch(() => {}))
    }
    await Promise.all(asked)
  }
  askAll().then(
    () => answers.end(),
    (error: unknown) => answers.end(error),
  )
  yield* answers
}

/** One peer's signed answer; throws where there is none, or somebody else signed it. */
export async function askOne(
  components: Pick<AskComponents, 'clock' | 'keys' | 'streams'>,
  network: string,
  service: CID,
  peer: string,
  outer?: AbortSignal,
): Promise<Receipt> {
  using limit = deadline(components.clock, ASK_TIMEOUT_MS, new TimeoutError('the peer did not answer in time'), outer)
  for await (const answer of request(components.streams, peer, { v: 1, want: 'receipt', service }, limit.signal)) {
    if (answer.is !== 'receipt') break
    const receipt = openReceipt(answer.receipt, network, components.keys)
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
    if (answer.is === 'error') throw new AccessError(printable(answer.message, 512))
    if (answer.is === 'end') return
    yield answer
  }
}

function peerIdIn(peer: string): string {
  return peer.slice(peer.lastIndexOf('/') + 1)
}
