import type { CID } from '../../protocols/encoding.ts'
import { ARCHIVE_PROTOCOL, codeId, decodeArchiveAnswer, encodeArchiveRequest } from '../../protocols/streams/archive.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { NotFoundError, TimeoutError } from '../base/errors.ts'
import type { StreamOpener } from '../base/stream.ts'
import { askPeers } from './ask-peers.ts'

/** A peer that does not confirm its record in this time does not count as a holder. */
const ANSWER_MS = 5_000

export interface CodeHoldersComponents {
  clock: Clock
  streams: StreamOpener
  /** Peers that are said to have it: a record outlives the peer that wrote it by hours. */
  providers(code: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<string>
}

/** Peers that answer for a code now, as they do. */
export async function* findHolders(
  components: CodeHoldersComponents,
  code: CID,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<string> {
  yield* askPeers(components.providers(code, options), (peer) => holderOf(components, peer, code, options.signal))
}

/** The peer, where it holds the code; throws where it does not. */
async function holderOf(
  { clock, streams }: CodeHoldersComponents,
  peer: string,
  code: CID,
  outer?: AbortSignal,
): Promise<string> {
  using limit = deadline(clock, ANSWER_MS, new TimeoutError('the peer did not answer in time'), outer)
  const { signal } = limit
  await using stream = await streams.open(peer, ARCHIVE_PROTOCOL, { signal })
  await stream.write(encodeArchiveRequest({ v: 1, want: 'manifest', code }), { signal })
  const encoded = await stream.read({ signal })
  const answer = encoded === undefined ? undefined : decodeArchiveAnswer(encoded)
  if (answer?.is === 'bytes' && codeId(answer.bytes).equals(code)) return peer
  throw new NotFoundError('the peer does not hold the code')
}
