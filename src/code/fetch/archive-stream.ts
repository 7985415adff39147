import type { CID } from '../../../protocols/encoding.ts'
import {
  ARCHIVE_PROTOCOL,
  type ArchiveAnswer,
  type ArchiveRequest,
  decodeArchiveAnswer,
  encodeArchiveRequest,
} from '../../../protocols/streams/archive.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { MessageStream, StreamOpener } from '../../base/stream.ts'
import { ANSWER_MS, OPEN_MS } from '../constants.ts'
import { HashMismatchError, NoProviderError } from '../errors.ts'

/** Made once: each would look for its stack, for every chunk. */
const TAKES_NOTHING = new TimeoutError('the provider takes no requests')
const NO_ANSWER = new TimeoutError('the provider does not answer')

/** One archive stream with a provider, each step of which has a deadline. */
export interface ArchiveStream extends AsyncDisposable {
  send(request: ArchiveRequest): Promise<void>
  receive(): Promise<ArchiveAnswer>
  end(): Promise<void>
}

export async function openArchiveStream(
  { clock, streams }: { clock: Clock; streams: StreamOpener },
  peer: string,
  { signal, allocate }: { signal: AbortSignal; allocate?: ((bytes: number) => Uint8Array) | undefined },
): Promise<ArchiveStream> {
  const stream = await open()

  async function open(): Promise<MessageStream> {
    using limit = deadline(clock, OPEN_MS, new TimeoutError('the provider did not answer the call'), signal)
    return await streams.open(peer, ARCHIVE_PROTOCOL, { signal: limit.signal, allocate })
  }

  return {
    async send(request) {
      using limit = deadline(clock, ANSWER_MS, TAKES_NOTHING, signal)
      await stream.write(encodeArchiveRequest(request), limit)
    },
    async receive() {
      using limit = deadline(clock, ANSWER_MS, NO_ANSWER, signal)
      const bytes = await stream.read(limit)
      if (bytes === undefined) throw new UnavailableError('the provider ended the stream')
      return decodeArchiveAnswer(bytes)
    },
    end: () => stream.end(),
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  }
}

/** The manifest as the provider sends it; whether it is the code's is for the caller to say. */
export async function askManifest(stream: ArchiveStream, code: CID): Promise<Uint8Array> {
  await stream.send({ v: 1, want: 'manifest', code })
  const answer = await stream.receive()
  if (answer.is === 'bytes') return answer.bytes
  if (answer.is === 'error') throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
  throw new HashMismatchError('the manifest came compressed')
}
